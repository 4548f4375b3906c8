"""The same ledger through JSON, pages, the public log and the command line."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from litestar import Litestar
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.testing import TestClient
from tests.rooms.ledger.conftest import Desk

from safebelt.engines.clock import real_ids
from safebelt.engines.signing import KeyStore
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import OWNER, Actor
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Problem, Refused
from safebelt.kernel.text import Text
from safebelt.rooms.ledger import cli, store
from safebelt.rooms.ledger.api import LedgerApi, StaticLog
from safebelt.rooms.ledger.cli import commands
from safebelt.rooms.ledger.pages import LedgerPages
from safebelt.rooms.ledger.room import ROOM
from safebelt.rooms.ledger.service import Ledger, check
from safebelt.web.doors import KIT_DOORS
from safebelt.web.openapi import openapi
from safebelt.web.problems import problem_handlers
from safebelt.web.templating import templates
from safebelt.web.terminal import Answer

LANGUAGES = ["zh", "en"]


def build(ledger: Ledger, *, actions: set[str] | None = None) -> Litestar:
    def authorize(_: Actor, action: str, __: str) -> None:
        if actions is not None and action not in actions:
            raise Refused(what=Text(zh="无权限。", en="Not allowed."), hint=Text(zh="联系管理员。", en="Ask."))

    return Litestar(
        route_handlers=[*KIT_DOORS, LedgerApi, StaticLog, LedgerPages],
        dependencies={
            "ledger": Provide(lambda: ledger, sync_to_thread=False),
            "by": Provide(lambda: OWNER, sync_to_thread=False),
        },
        state=State({"authorize": authorize}),
        exception_handlers=problem_handlers(real_ids()),
        template_config=templates(["ledger"]),
        csrf_config=CSRFConfig(secret="0" * 32, exclude="/api"),
        openapi_config=openapi(),
        logging_config=None,
    )


@pytest.fixture
def client(desk: Desk) -> Iterator[TestClient[Litestar]]:
    with TestClient(build(desk.ledger)) as found:
        yield found


@pytest.fixture
def entry_id(desk: Desk) -> str:
    (found,) = desk.note("hello", name="张三")
    desk.ledger.advance()
    return found


def key(desk: Desk) -> str:
    return str(desk.ledger.verifier_keys()[-1])


def post(client: TestClient[Litestar], path: str, data: dict[str, str], files: dict[str, Any] | None = None) -> Any:
    token = re.search(r'name="_csrf_token" value="([^"]+)"', client.get(path.replace("/erase", "")).text)
    assert token is not None
    return client.post(
        path,
        data={**data, "_csrf_token": token[1]},
        files=files or ({"file": ("", b"")} if path.endswith("check") else None),
        follow_redirects=False,
    )


# JSON


def test_entries_are_listed_shown_and_proven_as_json(client: TestClient[Litestar], desk: Desk, entry_id: str) -> None:
    page = client.get("/api/ledger/entries", params={"search": "HELLO"}).json()
    assert [item["id"] for item in page["items"]] == [entry_id]

    entry = client.get(f"/api/ledger/entries/{entry_id}").json()
    assert (entry["index"], entry["data"], entry["personal"]) == (0, {"text": "hello"}, {"name": "张三"})

    proof = client.get(f"/api/ledger/entries/{entry_id}/proof")
    assert proof.headers["content-type"].startswith("text/plain")
    assert check(proof.text, desk.ledger.verifier_keys())[0].holds is Truth.TRUE
    assert client.get("/api/ledger/entries/ent_none").status_code == 404
    assert client.get("/api/ledger/entries/ent_none/proof").status_code == 404


def test_pages_of_entries_follow_each_other(client: TestClient[Litestar], desk: Desk) -> None:
    desk.note(*map(str, range(5)))
    desk.ledger.advance()
    seen, before = [], None
    while True:
        page = client.get(
            "/api/ledger/entries", params={"limit": 2} | ({} if before is None else {"before": before})
        ).json()
        seen += [item["index"] for item in page["items"]]
        before = page["before"]
        if before is None:
            break
    assert seen == [4, 3, 2, 1, 0]


def test_checkpoint_and_consistency_are_public(desk: Desk) -> None:
    with TestClient(build(desk.ledger, actions=set())) as stranger:
        assert stranger.get("/api/ledger/checkpoint").status_code == 404
        for text in "ab":
            desk.note(text)
            desk.ledger.advance()

        checkpoint = stranger.get("/api/ledger/checkpoint").json()
        proof = stranger.get("/api/ledger/consistency", params={"old": 1}).text
        verdict = stranger.post(
            "/api/ledger/check-consistency", json={"proof": proof, "key": checkpoint["keys"][0]}
        ).json()

        assert (checkpoint["size"], verdict["holds"], verdict["proven"]["new_size"]) == (2, True, 2)
        assert stranger.get("/api/ledger/consistency", params={"old": 7}).status_code == 404
        assert stranger.get("/api/ledger/consistency", params={"old": 2, "new": 1}).status_code == 422
        assert stranger.get("/api/ledger/entries").status_code == 403


def test_a_proof_is_checked_for_anybody_with_reasons(desk: Desk, entry_id: str) -> None:
    proof = desk.ledger.prove(entry_id)
    with TestClient(build(desk.ledger, actions=set())) as stranger:

        def ask(text: str, vkey: str = key(desk)) -> Any:
            return stranger.post("/api/ledger/check", json={"proof": text, "key": vkey})

        good, bad = ask(proof).json(), ask(proof.replace("index 0", "index 1")).json()

        assert (good["holds"], good["proven"]["id"]) == (True, entry_id)
        assert (bad["holds"], bad["proven"], bad["reason"]["because"][2]["holds"]) == (False, None, "false")
        assert [ask("hello").status_code, ask(proof, "no key").status_code, ask(proof, "").status_code] == [
            422,
            422,
            422,
        ]


def test_erasing_through_json_needs_the_action_and_a_reason(
    client: TestClient[Litestar], desk: Desk, entry_id: str
) -> None:
    with TestClient(build(desk.ledger, actions={"ledger.read"})) as reader:
        assert reader.post(f"/api/ledger/entries/{entry_id}/erase", json={"reason": "r"}).status_code == 403
    assert client.post(f"/api/ledger/entries/{entry_id}/erase", json={"reason": ""}).status_code == 422

    done = client.post(f"/api/ledger/entries/{entry_id}/erase", json={"reason": "asked for"})

    assert done.json()["entry"] == entry_id
    assert client.get(f"/api/ledger/entries/{entry_id}").json()["is_erased"]
    assert client.post(f"/api/ledger/entries/{entry_id}/erase", json={"reason": "again"}).status_code == 409


def test_every_handler_has_a_guard_of_this_room() -> None:
    actions = set()
    for controller in (*ROOM.api, *ROOM.pages):
        for handler in vars(controller).values():
            for guard in getattr(handler, "guards", None) or ():
                actions.add(
                    getattr(guard, "safebelt_action", "open" if getattr(guard, "safebelt_open", "") else "none")
                )
    assert actions == {"ledger.read", "ledger.erase", "open"}


# the public log


def test_the_static_log_is_served_as_c2sp_says(desk: Desk) -> None:
    desk.note(*map(str, range(257)))
    desk.ledger.advance()
    with TestClient(build(desk.ledger, actions=set())) as stranger:
        checkpoint, tile = stranger.get("/log/checkpoint"), stranger.get("/log/tile/0/001.p/1")

        assert checkpoint.text == (desk.folder / "checkpoint").read_text()
        assert checkpoint.headers["content-type"] == "text/plain; charset=utf-8"
        assert "immutable" not in checkpoint.headers["cache-control"]
        assert tile.content == (desk.folder / "tile/0/001.p/1").read_bytes()
        assert tile.headers["content-type"] == "application/octet-stream"
        assert "immutable" in tile.headers["cache-control"]
        assert stranger.get("/log/tile/entries/000").status_code == 200
        assert stranger.get("/log/tile/1/000.p/1").status_code == 200


NO_TILES = [
    "0/000/../../../secret",
    "0/%2e%2e/%2e%2e/secret",
    "..%2f..%2fsecret",
    "0/..%2f..%2f..%2fsecret",
    "0/0",
    "0/000.p/0",
    "0/000.p/256",
    "0/000.p/01",
    "64/000",
    "00/000",
    "x/000",
    "0/x000",
    "entries/000%00",
    "0/000%0a",
    "0//000",
    "",
]


def test_nothing_but_tiles_is_served(desk: Desk) -> None:
    desk.note("a")
    desk.ledger.advance()
    (desk.folder.parent / "secret").write_text("secret")
    (desk.folder / "secret").write_text("secret")
    with TestClient(build(desk.ledger)) as stranger:
        assert stranger.get("/log/tile/0/000.p/1").status_code == 200
        for path in NO_TILES:
            answer = stranger.get(f"/log/tile/{path}")

            assert (path, answer.status_code) == (path, 404)
            assert "immutable" not in answer.headers.get("cache-control", "")
            assert answer.content != b"secret"


# pages


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_empty_ledger_says_what_fills_it(client: TestClient[Litestar], lang: str) -> None:
    page = client.get(f"/{lang}/ledger")

    assert page.status_code == 200
    assert {"zh": "先登记一个系统", "en": "Register a system"}[lang] in page.text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_list_is_searched_and_paged(client: TestClient[Litestar], desk: Desk, lang: str) -> None:
    desk.note(*(f"n{number}" for number in range(60)))
    desk.ledger.advance()

    def indexes(path: str) -> list[int]:
        return [int(found) for found in re.findall(r'cell--numeric">(\d+)<', client.get(path).text)]

    def link(path: str, rel: str) -> str | None:
        found = re.search(rf'href="([^"]+)" rel="{rel}"', client.get(path).text)
        return found[1].replace("&amp;", "&") if found else None

    first = f"/{lang}/ledger"
    assert (indexes(first), link(first, "prev")) == (list(range(59, 34, -1)), None)
    second = link(first, "next")
    assert second is not None
    assert indexes(second) == list(range(34, 9, -1))
    third = link(second, "next")
    assert third is not None
    assert (indexes(third), link(third, "next")) == (list(range(9, -1, -1)), None)
    back = link(third, "prev")
    assert back is not None
    assert indexes(back) == list(range(34, 9, -1))
    assert indexes(f"{first}?search=n59") == [59]
    assert indexes(f"{first}?subject=sub_n7") == [7]
    assert "n59" not in client.get(f"{first}?kind=none").text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_one_entry_shows_its_data_its_proof_and_why_to_trust_it(
    client: TestClient[Litestar], desk: Desk, entry_id: str, lang: str
) -> None:
    page = client.get(f"/{lang}/ledger/{entry_id}").text

    assert "hello" in page
    assert "张三" in page
    assert f"/api/ledger/entries/{entry_id}/proof" in page
    assert key(desk).replace("+", "&#43;") in page or key(desk) in page
    assert {"zh": "为什么可信", "en": "Why trust this"}[lang] in page
    assert client.get(f"/{lang}/ledger/ent_none").status_code == 404


def test_personal_data_is_erased_from_its_page(client: TestClient[Litestar], desk: Desk, entry_id: str) -> None:
    refused = post(client, f"/en/ledger/{entry_id}/erase", {"reason": " "})
    assert (refused.status_code, "A reason is missing" in refused.text) == (422, True)

    done = post(client, f"/en/ledger/{entry_id}/erase", {"reason": "asked for"})

    assert done.status_code == 303
    page = client.get(done.headers["location"]).text
    assert "张三" not in page
    assert "no proof is affected" in page


@pytest.mark.parametrize("lang", LANGUAGES)
def test_anybody_checks_a_proof_on_a_page_pasted_or_uploaded(desk: Desk, entry_id: str, lang: str) -> None:
    proof, path = desk.ledger.prove(entry_id), f"/{lang}/ledger/check"
    holds, fails = {"zh": ("证明成立", "证明不成立"), "en": ("The proof holds", "does not hold")}[lang]
    with TestClient(build(desk.ledger, actions=set())) as stranger:
        pasted = post(stranger, path, {"proof": proof.strip().replace("\n", "\r\n"), "key": key(desk)})
        uploaded = post(
            stranger, path, {"proof": "", "key": key(desk)}, files={"file": ("x.tlog-proof", proof.encode())}
        )
        changed = post(stranger, path, {"proof": proof.replace("index 0", "index 1"), "key": key(desk)})

    assert [answer.status_code for answer in (pasted, uploaded, changed)] == [200, 200, 200]
    assert holds in pasted.text
    assert holds in uploaded.text
    assert entry_id in pasted.text
    assert fails in changed.text
    assert f">{holds}<" not in changed.text


def test_the_check_page_takes_proofs_of_consistency_too(client: TestClient[Litestar], desk: Desk) -> None:
    for text in "ab":
        desk.note(text)
        desk.ledger.advance()

    answer = post(client, "/en/ledger/check", {"proof": desk.ledger.consistency(1, 2), "key": key(desk)})

    assert "The proof holds" in answer.text


@pytest.mark.parametrize(
    ("proof", "vkey", "says"),
    [
        ("", "k", "Paste the proof"),
        ("x", "", "Enter the verifier key"),
        ("x", "k", "not a valid verifier key"),
        ("x", None, "not a proof file"),
    ],
)
def test_the_check_form_comes_back_with_what_was_typed_and_what_is_wrong(
    client: TestClient[Litestar], desk: Desk, proof: str, vkey: str | None, says: str
) -> None:
    answer = post(client, "/en/ledger/check", {"proof": proof, "key": key(desk) if vkey is None else vkey})

    assert answer.status_code == 422
    assert says in answer.text
    assert "govuk-error-summary" in answer.text


# command line


def run(ledger: Ledger, *words: str) -> Answer:
    answer = commands(ledger)(words, result_action="return_value", exit_on_error=False, print_error=False)
    assert isinstance(answer, Answer)
    json.dumps(answer.data)
    assert answer.says.zh
    assert answer.says.en
    return answer


def test_verifying_ends_with_0_intact_1_broken_and_3_nothing(desk: Desk) -> None:
    nothing = run(desk.ledger, "verify")
    desk.note("a")
    intact = run(desk.ledger, "verify")
    (desk.folder / "tile/0/000.p/1").write_bytes(b"x" * 32)
    broken = run(desk.ledger, "verify")

    assert [nothing.exit_code, intact.exit_code, broken.exit_code] == [3, 0, 1]
    assert [each.data["verdict"] for each in (nothing, intact, broken)] == ["nothing to verify", "intact", "broken"]
    assert "index 0" in broken.says.en


def test_verifying_files_looks_at_no_row_and_tells_how_far_it_is_where_it_is_long(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.note("a", "b")
    desk.ledger.advance()
    with desk.sql.begin() as tx:
        tx.execute(sa.update(store.entry).values(kind="x"))

    assert run(desk.ledger, "verify", "--files").exit_code == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(cli, "_LONG", 1)
    assert run(desk.ledger, "verify").exit_code == 1
    assert capsys.readouterr().err == "2 / 2\n"


def test_verifying_says_too_why_signing_has_stopped(desk: Desk) -> None:
    desk.note("a")
    desk.ledger.advance()
    (desk.folder / "tile/0/000.p/1").write_bytes(b"x" * 32)
    desk.note("b")

    answer = run(desk.ledger, "verify")

    assert (answer.exit_code, answer.data["problem"]) == (1, "unavailable")


def test_a_proof_is_checked_with_the_file_and_the_key_alone(desk: Desk, entry_id: str, tmp_path: Path) -> None:
    file, keys = tmp_path / "e.tlog-proof", tmp_path / "log.vkey"
    assert run(desk.ledger, "prove", entry_id, "-o", str(file)).exit_code == 0
    keys.write_text(run(desk.ledger, "key").says.en + "\n")
    nowhere = Path("/nonexistent/safebelt")
    absent = Ledger(
        Sql(f"sqlite:///{nowhere}/x.db"),
        clock=desk.ledger._clock,
        new_id=desk.ledger._new_id,
        chance=desk.ledger._chance,
        signer=KeyStore(nowhere / "k", name="x", chance=desk.ledger._chance),
        origin="x",
        tiles=nowhere,
    )

    by_file, by_text = (run(absent, "check", str(file), "--key", each) for each in (str(keys), key(desk)))
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))
    changed = run(absent, "check", str(file), "--key", str(keys))

    assert [by_file.exit_code, by_text.exit_code, changed.exit_code] == [0, 0, 1]
    assert by_file.data["proven"]["id"] == entry_id


def test_consistency_is_written_and_checked_by_command(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "c.txt"
    for text in "ab":
        desk.note(text)
        desk.ledger.advance()

    assert run(desk.ledger, "consistency", "1", "2", "-o", str(file)).exit_code == 0
    assert run(desk.ledger, "check-consistency", str(file), "--key", key(desk)).exit_code == 0
    file.write_text(file.read_text().replace("\n1\n", "\n2\n"))
    assert run(desk.ledger, "check-consistency", str(file), "--key", key(desk)).exit_code == 1


def test_bad_files_and_keys_are_bad_use(desk: Desk, entry_id: str, tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_text("hello")
    for words in (
        ["check", str(tmp_path / "none"), "--key", key(desk)],
        ["check", str(file), "--key", key(desk)],
        ["check", str(file), "--key", "no key"],
        ["check", str(tmp_path), "--key", key(desk)],
        ["check", str(file), "--key", str(file)],
        ["check", str(file), "--key", "k" * 5000],
    ):
        with pytest.raises(Problem) as met:
            run(desk.ledger, *words)
        assert met.value.exit_code == 2


def test_entries_are_listed_shown_and_erased_and_the_key_rotated_by_command(desk: Desk, entry_id: str) -> None:
    assert entry_id in run(desk.ledger, "list", "--search", "hello").says.en
    assert run(desk.ledger, "list", "--kind", "none").data == []
    assert run(desk.ledger, "show", entry_id).data["personal"] == {"name": "张三"}
    assert run(desk.ledger, "erase", entry_id, "--reason", "asked for").exit_code == 0
    assert run(desk.ledger, "show", entry_id).data["is_erased"]
    old, new = key(desk), run(desk.ledger, "rotate-key", "--reason", "yearly").data["key"]
    assert run(desk.ledger, "key").says.en == new
    assert run(desk.ledger, "key", "--all").says.en.splitlines() == [old, new]
    assert run(desk.ledger, "verify").exit_code == 0


def test_the_plate_names_tables_events_and_habits_after_the_room(desk: Desk) -> None:
    assert all(table.name.startswith("ledger_") for table in ROOM.tables)
    assert all(event.kind.startswith("ledger.") for event in ROOM.events)
    assert ROOM.habits is not None
    desk.note("a")
    [habit.step() for habit in ROOM.habits(desk.ledger)]
    assert desk.ledger.checkpoint() is not None


def test_clock_is_injected(desk: Desk, clock: Callable[[], Any]) -> None:
    (found,) = desk.note("a")

    assert desk.ledger.entry(found).at == clock()
