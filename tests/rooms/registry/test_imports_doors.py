"""Imports and forms at the doors: the page shows before it enters, the API and the command line do the same."""

import json
import re
from pathlib import Path

import pytest
from tests.rooms.registry.test_imports import MAPPING, REGISTERS, TABLE

from safebelt.kernel.errors import Invalid
from safebelt.rooms.registry.cli import commands
from safebelt.rooms.registry.model.imports import Outcome

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def run(registry):
    app = commands(registry)

    def call(*words: str):
        command, bound, _ = app.parse_args([str(one) for one in words], print_error=False, exit_on_error=False)
        return command(*bound.args, **bound.kwargs)

    return call


def test_a_page_shows_a_table_before_it_enters_and_can_take_it_back(client, registry):
    proposed = client.post("/en/registry/imports", data={"form": "csv"}, files={"file": ("a.csv", TABLE)})
    brought = client.post(
        "/en/registry/imports", data={"mapping": MAPPING}, files={"file": ("a.csv", TABLE)}, follow_redirects=False
    )
    path = brought.headers["location"]
    waiting = client.get(path).text

    assert "Look over the mapping" in proposed.text and "safebelt: import/1" in proposed.text
    assert brought.status_code == 303
    assert "Nothing is entered yet" in waiting and "neither yes nor no" in waiting
    assert registry.systems().total == 0
    client.post(f"{path}/confirm", data={})
    assert registry.systems().total == 2
    done = client.get(path.replace("/en/", "/zh/")).text
    assert "来源所称状态" in done and "不构成法律意见" in done
    assert client.post(f"{path}/undo", data={"reason": ""}).status_code == 422
    client.post(f"{path}/undo", data={"reason": "Wrong file"})
    assert registry.systems().total == 0


def test_a_page_without_a_file_says_so_and_a_waiting_batch_can_be_discarded(client, registry):
    empty = client.post("/zh/registry/imports", data={"form": ""}, files={"file": ("", b"")})
    brought = client.post(
        "/en/registry/imports",
        files={"file": ("x.json", b'{"publishing_body": "A", "tool_name": "B"}')},
        follow_redirects=False,
    )
    client.post(f"{brought.headers['location']}/discard", data={})

    assert empty.status_code == 422 and "请选择要导入的文件" in empty.text
    assert registry.import_batches().items[0].state.value == "undone"
    assert registry.systems().total == 0


def test_the_api_imports_dry_then_for_good_lists_proves_and_undoes(client, registry):
    body = {"name": "a.csv", "content": TABLE, "mapping": MAPPING}

    dry = client.post("/api/registry/imports", json={**body, "is_dry_run": True}).json()
    made = client.post("/api/registry/imports", json=body)
    batch = made.json()["batch"]
    records = client.get(f"/api/registry/imports/{batch['id']}/records?outcome=entered").json()["items"]
    proof = client.get(f"/api/registry/systems/{records[0]['system_id']}/import-proof").json()
    undone = client.post(f"/api/registry/imports/{batch['id']}/undo", json={"reason": "Wrong"}).json()

    assert (dry["batch"], dry["counts"]) == (None, {"new": 2, "refused": 2})
    assert (made.status_code, batch["counts"]) == (201, {"refused": 2, "entered": 2})
    assert json.loads(proof["leaf"])["id"] == records[0]["system_id"]
    assert undone["counts"]["taken_out"] == 2
    assert client.get(f"/api/registry/systems/{records[0]['system_id']}").json()["title"]
    assert client.get("/api/registry/imports/bat_none").status_code == 404


def test_the_command_line_previews_imports_lists_and_undoes(run, registry, tmp_path: Path):
    table, mapping = tmp_path / "a.csv", tmp_path / "m.yaml"
    table.write_text(TABLE)
    mapping.write_text(MAPPING)

    guessed = run("import", table)
    dry = run("import", table, "--mapping", mapping, "--dry-run")
    done = run("import", table, "--mapping", mapping)
    shown = run("imports", "show", done.data["id"], "--outcome", Outcome.ENTERED.value)
    undone = run("import", "--undo", done.data["id"], "--reason", "Wrong file")

    assert (guessed.exit_code, "safebelt: import/1" in guessed.says.en) == (2, True)
    assert (dry.exit_code, dry.data["counts"]) == (1, {"new": 2, "refused": 2})
    assert "a.csv:4" in dry.says.en
    assert done.data["counts"] == {"refused": 2, "entered": 2}
    assert len(shown.data["items"]["items"]) == 2
    assert undone.data["counts"]["taken_out"] == 2
    assert "a.csv" in run("imports", "list").says.zh
    with pytest.raises(Invalid):
        run("import", table, "--form", "pdf")


def test_a_folder_of_model_cards_and_one_of_descriptors_are_imported_whole(run, registry):
    cards = run("import", REGISTERS / "model_cards")
    law = run("import", REGISTERS.parents[2] / "law" / "systems" / "cn-doubao.yaml", "--provider", "A company")

    assert cards.data["counts"] == {"entered": 10}
    assert law.data["counts"] == {"entered": 1}
    assert registry.descriptions(registry.systems(search="豆包").items[0].id)


def test_a_form_is_exported_written_filed_and_numbered_at_the_command_line(run, registry, tmp_path: Path):
    run("import", REGISTERS / "algorithm_1_v1_0.json", "--form", "nl")
    system_id = registry.systems().items[0].id

    lacking = run("export", system_id, "--form", "nl-algoritmeregister", "--as", "md", "-o", tmp_path / "out.md")
    filed = run(
        "file",
        system_id,
        "--form",
        "nl-algoritmeregister",
        "--answer",
        "publication_category=Overige algoritmes",
        "--submitted",
    )
    whole = run("export", system_id, "--form", "nl-algoritmeregister")
    numbered = run("filings", "receive", filed.data["id"], "NL-1")

    assert lacking.exit_code == 1 and "Publication category" in lacking.says.en
    assert "What is missing" in (tmp_path / "out.md").read_text()
    assert (filed.exit_code, filed.data["state"]) == (0, "submitted")
    assert (whole.exit_code, whole.data["publication_category"]) == (0, "Overige algoritmes")
    assert numbered.data["number"] == "NL-1"
    assert "nl-algoritmeregister" in run("forms", "list").says.en
    assert "NL-1" in run("filings", "list", system_id).says.zh


def test_forms_at_the_api_and_on_pages(client, registry):
    client.post(
        "/api/registry/imports", json={"name": "x.json", "content": '{"publishing_body": "A", "tool_name": "B"}'}
    )
    system_id = registry.systems().items[0].id
    form = f"/api/registry/systems/{system_id}/forms/eu-annex-viii-c"
    page = f"/en/registry/systems/{system_id}/forms"

    filled = client.get(form).json()
    written = client.put(form, json={"answers": {"fria": "Done in May."}}).json()
    bad = client.put(form, json={"answers": {"nonsense": "x"}})
    filed = client.post(f"{form}/filings", json={}).json()
    refused = client.post(f"{form}/filings", json={"is_submitted": True})
    shown = client.get(f"{page}/eu-annex-viii-c").text
    client.post(f"{page}/eu-annex-viii-c", data={"answer-provider_entry": "https://example.org/1"})
    client.post(f"{page}/filings/{filed['id']}/number", data={"number": "EU-7"})

    assert "fria" in filled["missing"] and "fria" not in written["missing"]
    assert (bad.status_code, refused.status_code) == (422, 422)
    assert filed["missing"] and len(client.get("/api/registry/forms").json()) == 7
    assert re.search(r"required fields? (is|are) missing", shown) and "Done in May." in shown
    assert "eu/ai-act#annex_viii__sec_c__point_1" in shown
    listed = client.get(page).text
    assert "EU-7" in listed and "no evidence made" in listed
    assert client.get(f"{page}/eu-annex-viii-c/download?shape=csv").text.startswith("field,title,value")
    assert "https://example.org/1" in client.get(f"{page}/eu-annex-viii-c").text
    assert client.get(f"/zh/registry/systems/{system_id}/forms").status_code == 200
