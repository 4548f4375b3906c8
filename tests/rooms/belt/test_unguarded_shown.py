"""Whatever passes unread is seen by everybody: two people agree to it, the ledger, the pages and the report say it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from litestar.testing import TestClient
from pypdf import PdfReader
from tests.conftest import StillClock
from tests.rooms.belt.doors import build_app
from tests.rooms.belt.house import House, build, intent, outcome
from tests.rooms.belt.test_policy_versions import OPERATOR, OVERSEER, PLAIN, RED

from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Refused
from safebelt.rooms.belt import store
from safebelt.rooms.belt.cli import commands
from safebelt.rooms.belt.model import Record
from safebelt.rooms.belt.service import Search

RERANK = {"path": "/v1/rerank", "methods": ["POST"], "why": {"zh": "重排序", "en": "ranking only"}}
FILES = {"under": "/v1/files/", "methods": ["GET"], "query": True, "why": {"zh": "文件", "en": "files"}}


def written(version: int = 1, *, id_: str = "house/rules", unguarded: tuple[Any, ...] = ()) -> bytes:
    words = {"zh": "规则", "en": "Rules"}
    content: dict[str, Any] = {
        "policy": id_,
        "version": version,
        "title": words,
        "appeal": words,
        "rules": [RED, PLAIN],
    }
    if unguarded:
        content["unguarded"] = list(unguarded)
    return yaml.safe_dump(content, allow_unicode=True).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "screening"
    folder.mkdir()
    (folder / "house.yaml").write_bytes(written())
    (folder / "red-lines.txt").write_text("harm.red\n")
    return folder


@pytest.fixture
def house(tmp_path: Path, folder: Path, clock: StillClock) -> Iterator[House]:
    sql = Sql(f"sqlite:///{tmp_path / 'safebelt.db'}")
    metadata.create_all(sql.engine)
    house = build(sql, tmp_path, clock=clock, screening=folder, default_policy="house/rules")
    house.belt.open_policies()
    house.belt.fit(house.system_id, by=OWNER)
    yield house
    sql.close()


def opened(house: House) -> None:
    """Let two people open both paths."""
    loaded = house.belt.load_policy(written(2, unguarded=(RERANK, FILES)), "needed for search", by=OPERATOR)
    assert loaded.proposal is not None
    house.belt.second_policy(loaded.proposal.id, answer="agreed", by=OVERSEER)


def unread(house: House, *ids: str, **facts: Any) -> None:
    about = {"method": "POST", "media_type": "application/json", "bytes": 12}
    digests = {"digests": {"request": {"ascii": True, "chars": 12, "sha256": "ab" * 32}}, "digest_salt": "00" * 16}
    with house.writing() as put:
        for id_ in ids:
            first = intent(
                id_, house.system_id, endpoint="/v1/rerank", done="allow", would="allow", rules=[], hits=[],
                not_evaluated=["request"], unguarded={"name": "/v1/rerank", **about}, policy="house/rules", **facts,
            )  # fmt: skip
            put(Record(type="intent", id=id_, core=first.core, content=digests))
            last = outcome(id_, not_evaluated=["answer"], unguarded={"media_type": "text/plain", "bytes": 34})
            put(Record(type="outcome", id=id_, core={k: v for k, v in last.core.items() if k != "label"}))
    house.belt.index()


def test_a_path_waits_for_a_second_person_and_until_then_nothing_passes(house: House) -> None:
    loaded = house.belt.load_policy(written(2, unguarded=(RERANK, FILES)), "needed for search", by=OPERATOR)

    assert loaded.adoption is None and [each.rule for each in loaded.changes] == [
        "unguarded /v1/rerank",
        "unguarded /v1/files/…",
    ]
    assert house.belt.snapshot().policies["house/rules"].unguarded == ()
    with pytest.raises(Refused):
        house.belt.second_policy(loaded.proposal.id, answer="myself", by=OPERATOR)

    house.belt.second_policy(loaded.proposal.id, answer="agreed", by=OVERSEER)

    assert [each.named for each in house.belt.snapshot().policies["house/rules"].unguarded] == [
        "/v1/rerank",
        "/v1/files/…",
    ]
    entry = house.entries("policy_adopted")[-1]
    assert entry["red_lines"] == ["unguarded /v1/rerank", "unguarded /v1/files/…"] and entry["proposal"]


def test_closing_a_path_takes_one_person_and_rolling_back_to_it_two(house: House) -> None:
    opened(house)

    assert house.belt.load_policy(written(3), "no longer needed", by=OPERATOR).adoption is not None
    assert house.belt.snapshot().policies["house/rules"].unguarded == ()
    assert house.belt.roll_back_policy("house/rules", "needed again", by=OPERATOR).proposal is not None


def test_a_changed_file_that_opens_a_path_is_not_taken_at_the_start(house: House, folder: Path) -> None:
    (folder / "house.yaml").write_bytes(written(2, unguarded=(RERANK,)))
    again = build(house.belt._t.sql, folder.parent, clock=house.clock, screening=folder, default_policy="house/rules")

    (left,) = again.belt.open_policies()

    assert [change.rule for change in left.changes] == ["unguarded /v1/rerank"]
    assert again.belt.snapshot().policies["house/rules"].unguarded == ()


def test_neither_a_new_policy_nor_a_switch_to_an_open_one_is_a_way_around(house: House) -> None:
    new = house.belt.load_policy(written(1, id_="house/open", unguarded=(RERANK,)), "another", by=OPERATOR)
    assert new.proposal is not None
    house.belt.second_policy(new.proposal.id, answer="for others", by=OVERSEER)
    harness = house.belt.harness(house.system_id)

    with pytest.raises(Refused) as caught:
        house.belt.change(house.system_id, by=OPERATOR, version=harness.version, policy="house/open")

    assert "/v1/rerank" in caught.value.what.zh and "/v1/rerank" in caught.value.what.en
    assert house.belt.harness(house.system_id).policy == "house/rules"
    house.belt.load_policy(written(1, id_="house/closed"), "closed", by=OPERATOR)
    changed = house.belt.change(house.system_id, by=OPERATOR, version=harness.version, policy="house/closed")
    assert changed.policy == "house/closed"  # the negative control: what opens nothing is one person's to choose


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pages_show_what_passes_and_what_passed_unread(house: House, lang: str) -> None:
    with TestClient(build_app(house)) as client:
        before = client.get(f"/{lang}/belt").text
        waiting = house.belt.load_policy(written(2, unguarded=(RERANK, FILES)), "needed", by=OPERATOR)
        change = client.get(f"/{lang}/belt/policy-changes/{waiting.proposal.id}").text
        house.belt.second_policy(waiting.proposal.id, answer="agreed", by=OVERSEER)
        unread(house, "rec_u")
        console = client.get(f"/{lang}/belt").text
        found = client.get(f"/{lang}/belt?done=unguarded").text
        allowed = client.get(f"/{lang}/belt?done=allow").text
        one = client.get(f"/{lang}/belt/exchanges/rec_u").text
        policy = client.get(f"/{lang}/belt/policies/house/rules").text
        panel = client.get(f"/{lang}/registry/systems/{house.system_id}").text

    tag = {"zh": "未守护", "en": "unguarded"}[lang]
    assert "/v1/rerank" not in before and "POST /v1/rerank" in console and "GET /v1/files/…" in console
    assert "/v1/rerank" in change and {"zh": "红线", "en": "red line"}[lang] in change
    assert 'id="rec_u"' in found and 'id="rec_u"' not in allowed and f"<span>{tag}</span>" in found
    assert {"zh": "未经审查", "en": "Nobody screened this exchange"}[lang] in one and f"<span>{tag}</span>" in one
    assert 'id="unguarded"' in policy and {"zh": "重排序", "en": "ranking only"}[lang] in policy
    assert panel is not None


def test_apis_say_it(house: House) -> None:
    unread(house, "rec_u")
    with house.writing() as put:
        put(intent("rec_g", house.system_id))
        put(outcome("rec_g"))
    house.belt.index()

    with TestClient(build_app(house)) as client:
        found = client.get("/api/belt/exchanges", params={"done": "unguarded"}).json()
        wrong = client.get("/api/belt/exchanges", params={"done": "nothing"})
        csv = client.get("/en/belt/export.csv").text

    assert [(each["id"], each["is_unguarded"]) for each in found["items"]] == [("rec_u", True)]
    assert wrong.status_code == 400 and "is_unguarded" in csv
    assert house.belt.exchanges(Search(done="mask")).items[0].id == "rec_g"
    traffic = house.belt.traffic(minutes=24 * 60)
    assert sum(minute.by_done.get("unguarded", 0) for minute in traffic.minutes) == traffic.by_done["unguarded"] == 1


def test_the_index_can_be_thrown_away_and_says_the_same(house: House) -> None:
    unread(house, "rec_u")
    before = house.belt.exchanges().items

    house.belt.reindex()

    assert house.belt.exchanges().items == before and before[0].is_unguarded and before[0].tokens == 4


def test_the_transparency_report_names_the_paths_and_counts_what_passed(house: House, clock: StillClock) -> None:
    assert house.belt.transparency().policies[0].unguarded == ()
    opened(house)
    unread(house, *(f"rec_{number}" for number in range(12)))
    clock.move(minutes=6)

    report = house.belt.transparency()
    with TestClient(build_app(house, may=lambda _action: False)) as client:
        told = client.get("/api/public/transparency").json()
        pages = [client.get(f"/{lang}/transparency").text for lang in ("zh", "en")]
        printed = client.get("/en/transparency/report.pdf").content

    assert report.by_action == {"unguarded": 10}
    assert [each["path"] for each in told["policies"][0]["unguarded"]] == ["/v1/rerank", "/v1/files/"]
    assert "不经审查放行" in pages[0] and "未守护" in pages[0] and "ranking only" in pages[1]
    import io

    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(printed)).pages)
    assert "/v1/rerank" in text and "passed unguarded" in text


def test_a_replay_names_it_among_what_it_cannot_evaluate(house: House, clock: StillClock) -> None:
    unread(house, "rec_u")
    with house.writing() as put:
        put(intent("rec_g", house.system_id, policy="house/rules", policy_version=1, rules=[], hits=[], text="hello"))
        put(outcome("rec_g"))
    house.belt.index()

    found = house.belt.replay(house.belt.policy("house/rules"), house.clock() - timedelta(days=1))

    assert found.not_evaluated == {"unguarded": 1} and found.not_evaluated_examples["unguarded"] == ("rec_u",)
    assert (found.exchanges, found.evaluated) == (2, 1)


def test_the_shell_shows_it(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    opened(house)
    unread(house, "rec_u")
    app = commands(house.belt)

    shown = app(["policies", "show", "house/rules"], result_action="return_value")
    listed = app(["exchanges", "list", "--done", "unguarded"], result_action="return_value")

    assert "POST /v1/rerank" in shown.says.zh and "passes unguarded" in shown.says.en
    assert "rec_u" in listed.says.en and "unguarded" in listed.says.en


def test_erasing_it_takes_the_digests_and_leaves_that_it_passed_unread(house: House) -> None:
    unread(house, "rec_u")

    house.belt.erase("rec_u", "asked for", by=OWNER)

    full = house.belt.exchange("rec_u")
    assert full.intent.content is None and full.intent.core["unguarded"]["name"] == "/v1/rerank"
    with house.belt._t.sql.read() as tx:
        assert tx.execute(store.exchange.select()).mappings().one()["is_unguarded"]
