"""Keys and what they may use: issued, changed, rotated, revoked, and counted from the records."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import StillClock
from tests.rooms.belt.house import House, build, intent, outcome

from safebelt.engines.clock import real_chance
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.belt.cli import commands
from safebelt.rooms.belt.decide import opens, read_limits, scope_of, written_limits
from safebelt.rooms.belt.decide.quotas import SPANS, begun, counted, estimated, over_at, used_up
from safebelt.rooms.belt.model import Command, Key, KeyTerms, Limit, Measure, OrderTerms, Span, Used
from safebelt.rooms.belt.proxy.meter import Meter
from safebelt.rooms.belt.service import digest_of
from safebelt.web.terminal import Answer

TERMS = KeyTerms(
    caller="门户团队 Portal team",
    scopes=("chat", "models"),
    limits=(Limit(measure=Measure.REQUESTS, span=Span.MINUTE, most=2),),
    purpose="support",
)
MOMENTS = st.integers(1_767_225_600, 1_925_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))


@pytest.fixture
def house(sql: Sql, tmp_path: Path, clock: StillClock) -> House:
    ticks = iter(range(10**6))
    return build(sql, tmp_path, clock=clock, new_id=lambda p: f"{p}_{next(ticks):026d}", chance=real_chance)


# ---------------------------------------------------------------------- terms


def test_a_key_keeps_its_terms_and_the_ledger_is_told_them_without_who_uses_it(house: House) -> None:
    ends = house.clock() + timedelta(days=30)

    key, _ = house.belt.issue_key(house.system_id, "app", OWNER, terms=TERMS, expires_at=ends)

    assert house.belt.key(key.id) == key
    assert (key.terms, key.expires_at) == (TERMS, ends)
    (told,) = house.entries("key_issued", 2)
    assert told["terms"]["scopes"] == ["chat", "models"] and told["expires_at"] == ends.isoformat()
    assert "name" not in told and "caller" not in told and "caller" not in told["terms"]


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (KeyTerms(scopes=("chats",)), "scopes"),
        (KeyTerms(scopes=("mcp:a b",)), "scopes"),
        (KeyTerms(limits=(Limit(measure=Measure.TOKENS, span=Span.DAY, most=0),)), "limits"),
        (KeyTerms(limits=TERMS.limits * 2), "limits"),
        (KeyTerms(purpose="Customer Support"), "purpose"),
        (KeyTerms(caller="x" * 121), "caller"),
    ],
)
def test_terms_that_mean_nothing_are_refused_with_their_field(house: House, terms: KeyTerms, field: str) -> None:
    with pytest.raises(Invalid) as invalid:
        house.belt.issue_key(house.system_id, "app", OWNER, terms=terms)

    assert invalid.value.details["field"] == field
    assert house.belt.keys() == ()


def test_a_key_cannot_end_in_the_past(house: House) -> None:
    with pytest.raises(Invalid) as invalid:
        house.belt.issue_key(house.system_id, "app", OWNER, expires_at=house.clock())

    assert invalid.value.details["field"] == "expires_at"


def test_a_change_replaces_the_terms_and_names_the_version_it_was_made_on(house: House) -> None:
    key, secret = house.belt.issue_key(house.system_id, "app", OWNER)

    changed = house.belt.change_key(key.id, terms=TERMS, expires_at=None, version=1, reason="less", by=OWNER)

    assert house.belt.snapshot().keys[digest_of(secret)] == changed
    assert (changed.terms, changed.version) == (TERMS, 2)
    with pytest.raises(Conflict):
        house.belt.change_key(key.id, terms=KeyTerms(), expires_at=None, version=1, reason="late", by=OWNER)
    with pytest.raises(Invalid):
        house.belt.change_key(key.id, terms=KeyTerms(), expires_at=None, version=2, reason=" ", by=OWNER)
    assert [data["version"] for data in house.entries("key_changed")] == [2]


# ---------------------------------------------------------------------- rotation


@pytest.mark.parametrize("command", [Command.CUT, Command.LIMIT, Command.ROLL_BACK])
def test_a_key_for_which_an_order_stands_is_not_rotated_out_of_it(house: House, command: Command) -> None:
    key, _ = house.belt.issue_key(house.system_id, "app", OWNER)
    other, _ = house.belt.issue_key(house.system_id, "other", OWNER)
    target = f"key:{key.id}"
    with house.watcher():
        if command is Command.CUT:
            order, lift = house.belt.order(command, target, "why", OWNER), Command.RUN
        elif command is Command.LIMIT:
            order, lift = house.belt.limit(target, OrderTerms(per_minute=1), "why", OWNER), Command.UNLIMIT
        else:
            order, lift = house.belt.roll_back(target, "model:m", "why", OWNER), Command.FORWARD
        with pytest.raises(Conflict, match=order.id):
            house.belt.rotate_key(key.id, "out of it", OWNER)
        assert house.belt.wait_effective(order.id, 2)
        with pytest.raises(Conflict, match=order.id):
            house.belt.rotate_key(key.id, "out of it", OWNER)
        house.belt.rotate_key(other.id, "no order stands for it", OWNER)

        lifted = house.belt._give(lift, target, "over", OWNER)
        assert house.belt.wait_effective(lifted.id, 2)
        house.belt.rotate_key(key.id, "yearly", OWNER)


def test_a_rotated_key_lives_on_for_its_grace_and_the_new_one_has_its_terms(house: House) -> None:
    old, secret = house.belt.issue_key(house.system_id, "app", OWNER, terms=TERMS)

    new, fresh = house.belt.rotate_key(old.id, "yearly", OWNER, grace_hours=2)

    keys = house.belt.snapshot().keys
    was = keys[digest_of(secret)]
    assert (was.expires_at, was.replaced_by) == (house.clock() + timedelta(hours=2), new.id)
    assert (keys[digest_of(fresh)].terms, keys[digest_of(fresh)].expires_at) == (TERMS, None)
    assert fresh != secret
    (told,) = house.entries("key_rotated")
    assert (told["key_id"], told["replaced"]) == (new.id, old.id)
    with pytest.raises(Conflict):
        house.belt.rotate_key(old.id, "again", OWNER)
    assert house.belt.rotate_key(new.id, "and on", OWNER, grace_hours=0)[0].id != new.id


@pytest.mark.parametrize("hours", [-1, 721, float("nan")])
def test_a_grace_has_bounds(house: House, hours: float) -> None:
    old, _ = house.belt.issue_key(house.system_id, "app", OWNER)

    with pytest.raises(Invalid) as invalid:
        house.belt.rotate_key(old.id, "why", OWNER, grace_hours=hours)

    assert invalid.value.details["field"] == "grace_hours"


def test_a_grace_never_outlives_the_keys_own_end(house: House) -> None:
    ends = house.clock() + timedelta(hours=1)
    old, _ = house.belt.issue_key(house.system_id, "app", OWNER, expires_at=ends)

    house.belt.rotate_key(old.id, "yearly", OWNER, grace_hours=100)

    assert house.belt.key(old.id).expires_at == ends


def test_a_revoked_key_is_neither_rotated_nor_changed(house: House) -> None:
    old, _ = house.belt.issue_key(house.system_id, "app", OWNER)
    house.belt.revoke_key(old.id, "lost", OWNER)

    with pytest.raises(Conflict):
        house.belt.rotate_key(old.id, "why", OWNER)
    with pytest.raises(Conflict):
        house.belt.change_key(old.id, terms=TERMS, expires_at=None, version=1, reason="why", by=OWNER)
    with pytest.raises(NotFound):
        house.belt.rotate_key("key_none", "why", OWNER)


# ---------------------------------------------------------------------- what is used


def test_use_is_counted_from_the_records_the_upstreams_count_first(house: House) -> None:
    key, _ = house.belt.issue_key(house.system_id, "app", OWNER)
    with house.writing() as put:
        put(intent("rec_1", house.system_id, key_id=key.id))
        put(outcome("rec_1", usage={"prompt_tokens": 30, "completion_tokens": 12, "total_tokens": 42}))
        put(intent("rec_2", house.system_id, text="好" * 10, key_id=key.id))
        put(outcome("rec_2"))
        put(intent("rec_3", house.system_id, key_id=key.id))
        put(outcome("rec_3", finish="not_admitted", status=429))

    usage = house.belt.usages_on_disk()[key.id]

    for span in SPANS:
        assert usage.used[span].requests == 2, "what was not let in is not used"
        assert usage.used[span].tokens == 42 + usage.used[span].estimated
        assert usage.used[span].estimated >= 10
    assert house.belt.usage(key.id) == usage
    assert house.belt.usages_on_disk()[key.id] == usage, "counting again counts nothing twice"
    house.belt.reindex()
    assert house.belt.usage(key.id) == usage
    assert house.belt.usage("key_none").used[Span.MONTH] == Used()


def test_an_exchange_whose_end_was_never_written_counts_what_was_asked(house: House) -> None:
    """What `kill -9` leaves behind: an intent alone; the next start writes that its outcome is lost."""
    key, _ = house.belt.issue_key(house.system_id, "app", OWNER)
    with house.writing() as put:
        put(intent("rec_1", house.system_id, text="好" * 25, key_id=key.id))
    with house.writing():
        pass

    used = house.belt.usages_on_disk()[key.id].used[Span.DAY]

    assert used.requests == 1


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"total_tokens": 7, "prompt_tokens": 5, "completion_tokens": 2}, 7),
        ({"input_tokens": 5, "output_tokens": 3, "cache_read_input_tokens": 100}, 108),
        ({"prompt_tokens": 4, "total_tokens": 4}, 4),
        ({}, None),
        ({"total_tokens": True}, None),
        ({"total_tokens": -3}, None),
        ({"total_tokens": "9"}, None),
    ],
)
def test_the_figures_of_each_interface_are_read_and_nonsense_is_not(usage: dict[str, Any], tokens: int | None) -> None:
    assert counted(usage) == tokens


@given(st.lists(st.text(max_size=200), max_size=5))
def test_an_estimate_is_never_below_a_token_for_three_letters(texts: list[str]) -> None:
    assert estimated(texts) * 3 >= sum(map(len, texts))


@given(MOMENTS, st.sampled_from(SPANS))
def test_a_moment_is_in_its_span_and_the_next_begins_where_it_ends(at: datetime, span: Span) -> None:
    start, end = begun(span, at), over_at(span, at)

    assert start <= at < end
    assert begun(span, end) == end
    assert over_at(span, end - timedelta(microseconds=1)) == end


@given(st.lists(st.tuples(MOMENTS, st.integers(0, 50)), max_size=30))
def test_the_meter_counts_what_a_plain_count_counts(deeds: list[tuple[datetime, int]]) -> None:
    meter, done = Meter(), sorted(deeds)
    for at, tokens in done:
        meter.of("key_1", at).add_request()
        meter.of("key_1", at).add_tokens(tokens, 0)
    now = done[-1][0] if done else datetime(2026, 1, 1, tzinfo=UTC)

    tally = meter.of("key_1", now)

    for span in SPANS:
        inside = [tokens for at, tokens in done if begun(span, at) == begun(span, now)]
        assert tally.used(span) == Used(len(inside), sum(inside), 0)
    assert meter.of("key_2", now).used(Span.DAY) == Used()


def test_of_two_limits_that_are_used_up_the_one_that_opens_last_is_told() -> None:
    limits = read_limits("requests/minute=2, tokens/day=100 requests/month=9")
    used = {Span.MINUTE: Used(2, 0, 0), Span.DAY: Used(5, 100, 0), Span.MONTH: Used(8, 0, 0)}

    assert used_up(limits, used.__getitem__) == limits[1]
    assert used_up(limits, lambda _span: Used(1, 99, 0)) is None
    assert read_limits(written_limits(limits)) == limits


@pytest.mark.parametrize("text", ["requests=5", "requests/week=5", "coins/day=5", "tokens/day=-5", "tokens/day=１"])
def test_a_limit_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as invalid:
        read_limits(text)

    assert invalid.value.details["field"] == "limits"


@pytest.mark.parametrize(
    ("scopes", "path", "is_open"),
    [
        ((), "/v1/chat/completions", True),
        (("chat",), "/v1/chat/completions", True),
        (("chat",), "/v1/embeddings", False),
        (("videos",), "/v1/videos/vid_1/content", True),
        (("mcp",), "/mcp/files", True),
        (("mcp:files",), "/mcp/files", True),
        (("mcp:files",), "/mcp/other", False),
        (("chat",), "/mcp/chat", False),
    ],
)
def test_a_scope_opens_its_paths_and_no_others(scopes: tuple[str, ...], path: str, is_open: bool) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    terms = KeyTerms(scopes=scopes)
    key = Key(id="key_1", system_id="sys_1", name="t", digest="", created_at=moment, terms=terms)

    assert opens(key, scope_of(path)) is is_open


# ---------------------------------------------------------------------- shell


@pytest.fixture
def run(house: House) -> Iterator[Callable[..., Answer]]:
    app = commands(house.belt)

    def call(*words: str) -> Answer:
        answer: Any = app(list(words), exit_on_error=False, print_error=False, result_action="return_value")
        assert isinstance(answer, Answer)
        assert answer.as_text("zh") and answer.as_text("en")
        return answer

    yield call


def test_the_shell_issues_shows_changes_and_rotates(run: Callable[..., Answer], house: House) -> None:
    terms = ["--caller", "Team A", "--scopes", "chat models", "--limits", "requests/minute=2"]
    issued = run("keys", "issue", "--system", house.system_id, "--name", "app", *terms, "--expires", "2031-01-31")

    shown = run("keys", "show", issued.data["id"])
    assert list(shown.data["scopes"]) == ["chat", "models"]
    assert shown.data["expires_at"] == "2031-01-31T00:00:00+00:00"
    assert shown.data["usage"]["minute"]["requests"] == 0
    changed = run("keys", "set", issued.data["id"], "--reason", "more", "--limits", "tokens/day=9", "--expires", "")
    assert (list(changed.data["limits"]), changed.data["expires_at"]) == (
        [{"measure": "tokens", "span": "day", "most": 9}],
        None,
    )
    assert changed.data["caller"] == "Team A", "what is not named stays"
    rotated = run("keys", "rotate", issued.data["id"], "--reason", "yearly", "--grace-hours", "1")
    assert rotated.data["key"].startswith("sbk_")
    assert run("keys", "show", issued.data["id"]).data["replaced_by"] == rotated.data["id"]
    with pytest.raises(Invalid):
        run("keys", "issue", "--system", house.system_id, "--name", "b", "--expires", "tomorrow")
