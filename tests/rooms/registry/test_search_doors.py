"""Search at the doors: pages, JSON, command line, files."""

import csv
import io
import json

import pytest
from litestar.testing import TestClient
from tests.rooms.registry.house import build_app

from safebelt.kernel.actors import OWNER
from safebelt.rooms.registry.cli import commands
from safebelt.rooms.registry.exports.search_lists import as_csv
from safebelt.rooms.registry.model import RegisterParty, RegisterSystem

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def database_url(tmp_path) -> str:
    """Doors are the same on both databases: one is enough."""
    return f"sqlite:///{tmp_path / 'doors.db'}"


@pytest.fixture
def systems(registry, clock) -> list[str]:
    provider = registry.register_party(RegisterParty(name="明理科技有限公司"), by=OWNER)
    ids = []
    for at in range(25):
        clock.move(minutes=1)
        command = RegisterSystem(
            provider_id=provider.id,
            name_zh=f"招聘筛选{at}",
            name_en=f"Recruitment {at}",
            purpose_zh="=1+1 筛选材料",
            purpose_en="Screens papers.",
        )
        ids.append(registry.register_system(command, by=OWNER).id)
    return ids


def test_the_list_pages_through_and_forgives_mistypes_in_both_languages(client, systems) -> None:
    first = client.get("/zh/registry").text
    after = first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    second = client.get(after).text
    near = client.get("/en/registry", params={"search": "recrutment"}).text
    nothing = client.get("/en/registry", params={"search": "recruitment zebra"}).text

    assert "招聘筛选24" in first and "招聘筛选4<" not in first
    assert "招聘筛选4<" in second and 'rel="prev"' in second
    assert "is close to “recrutment”" in near and "No system says “recrutment”" in near
    assert "Did you mean" in nothing and 'search=recruitment"' in nothing
    assert client.get("/zh/registry?after=nonsense&since=never&stage=none").status_code == 200


def test_filters_become_chips_that_lead_back(client, systems, registry) -> None:
    registry.tag_system(systems[0], add="试点", by=OWNER)

    page = client.get(
        "/zh/registry", params={"tag": "试点", "stage": "idea", "red_line": "no", "since": "2026-01-01"}
    ).text

    assert "共 1 个系统" in page and "标签：试点" in page and "未触及红线" in page
    assert page.count("moj-filter__tag") == 4
    assert client.get("/en/registry", params={"tag": "none"}).text.count("No system passes these filters") == 1


def test_a_view_is_saved_shown_deleted_and_brought_back(client, systems) -> None:
    refused = client.post("/zh/registry/views", data={"name": " ", "search": "招聘"})
    saved = client.post(
        "/zh/registry/views", data={"name": "在招", "search": "招聘", "stage": ["idea", "design"], "is_shared": "yes"}
    )
    view = client.get("/api/registry/views").json()[0]
    gone = client.post(f"/zh/registry/views/{view['id']}/delete")
    back = client.post(f"/zh/registry/views/{view['id']}/restore")

    assert refused.status_code == 422 and "请填写名称" in refused.text
    assert "视图已保存" in saved.text and "在招" in saved.text
    assert view["question"]["filters"]["stages"] == ["idea", "design"]
    assert "撤销删除" in gone.text and "视图已恢复" in back.text


def test_a_bulk_act_goes_from_preview_to_progress(client, systems) -> None:
    form = {"kind": "add_tag", "value": "试点", "whom": "all", "search": "招聘"}

    preview = client.post("/zh/registry/bulk/preview", data=form)
    done = client.post("/zh/registry/bulk", data=form | {"expected": "25"})
    changed = client.post("/zh/registry/bulk", data=form | {"expected": "7"})
    nobody = client.post("/en/registry/bulk/preview", data={"kind": "withdraw", "value": "no use"})

    assert preview.status_code == 200 and 'name="expected" value="25"' in preview.text
    assert 'max="25" value="25"' in done.text
    assert changed.status_code == 409 and "预览时为 7 个系统" in changed.text
    assert "No system is chosen" in nobody.text


def test_who_may_not_withdraw_singly_may_not_withdraw_many(registry, systems) -> None:
    with TestClient(build_app(registry, may=lambda action: action != "registry.gate")) as client:
        body = {"kind": "withdraw", "value": "x", "systems": systems}

        refused = client.post("/api/registry/bulk", json=body)
        allowed = client.post("/api/registry/bulk", json=body | {"kind": "add_tag"})

    assert (refused.status_code, allowed.status_code) == (403, 201)
    assert allowed.json()["done"] == 25


def test_the_json_door_finds_filters_pages_and_exports(client, systems, registry) -> None:
    found = client.get("/api/registry/search", params={"text": "recrutment", "size": 10, "facets": True}).json()
    rest = client.get("/api/registry/search", params={"text": "recrutment", "size": 20, "after": found["after"]}).json()
    tags = client.post(f"/api/registry/systems/{systems[0]}/tags", json={"add": "pilot"})
    tagged = client.get("/api/registry/search", params={"tag": "pilot", "stage": ["idea", "design"]}).json()
    bad = client.get("/api/registry/search", params={"after": "nonsense"})
    text = client.get("/api/registry/search/export", params={"text": "recruitment"})
    exported = client.get("/en/registry/export.json", params={"tag": "pilot"})

    ids = [hit["system"]["id"] for hit in (*found["hits"], *rest["hits"])]
    assert len(set(ids)) == len(ids) == found["total"] == 25
    assert found["meant"] == {"recrutment": "recruitment"} and found["facets"]["stage"] == [
        {"value": "idea", "count": 25}
    ]
    assert tags.json() == {"tags": ["pilot"]} and [hit["tags"] for hit in tagged["hits"]] == [["pilot"]]
    assert bad.status_code == 422
    rows = list(csv.reader(io.StringIO(text.content.decode("utf-8-sig"))))
    assert len(rows) == 26 and rows[1][3] == "'=1+1 筛选材料"
    assert [each["id"] for each in json.loads(exported.content)] == [systems[0]]


def test_the_command_line_finds_and_exits_by_what_it_found(registry, systems) -> None:
    app = commands(registry)

    found = app("search recrutment --size 3", result_action="return_value")
    nothing = app("search zebra", result_action="return_value")

    assert found.exit_code == 0 and found.says.en.startswith("25 systems.") and "--after " in found.says.en
    assert "招聘筛选" in found.says.zh
    assert nothing.exit_code == 1


def test_an_empty_list_is_a_table_with_heads() -> None:
    assert b"".join(as_csv([])).decode("utf-8-sig").startswith("id,name_zh")
