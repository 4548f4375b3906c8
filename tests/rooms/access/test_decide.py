"""The judgments of access, without anything around them."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from safebelt.kernel.actors import Role
from safebelt.kernel.errors import Invalid
from safebelt.rooms.access import decide
from safebelt.rooms.access.model import ASSIGNABLE, Attempts, Tally
from safebelt.web.session import safe_next

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@given(gaps=st.lists(st.integers(0, 2 * decide.LOCKED_SECONDS), max_size=60))
def test_no_rhythm_of_guessing_gets_more_than_five_checks_in_a_lock_out(gaps: list[int]) -> None:
    attempts, now, checked = Attempts(), NOW, []
    for gap in gaps:
        now += timedelta(seconds=gap)
        if not decide.is_locked(attempts, now):
            attempts = decide.charge(attempts, now)
            checked.append(now)

    for first, sixth in zip(checked, checked[decide.MAX_FAILURES :], strict=False):
        assert sixth - first >= timedelta(seconds=decide.LOCKED_SECONDS)


@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, decide.FAILURES_WINDOW_SECONDS)), max_size=200))
def test_every_failure_is_recorded_or_owned_up_to_and_no_window_records_too_many(steps: list[tuple[bool, int]]) -> None:
    tally, now, failures, told, own = Tally(), NOW, 0, 0, []
    for is_due, gap in steps:
        now += timedelta(seconds=gap / 60)
        tally, unrecorded = decide.tally(tally, now, is_due=is_due)
        failures += not is_due
        if unrecorded is not None:
            told += unrecorded + (not is_due)
            own += [now] * (not is_due)

    assert told + tally.unrecorded == failures
    for at in own:
        window = [other for other in own if at <= other < at + timedelta(seconds=decide.FAILURES_WINDOW_SECONDS)]
        assert len(window) <= 2 * decide.FAILURES_RECORDED, "two windows may touch"


@given(wanted=st.text(st.sampled_from("/\\.:@?#%&=ae \t\r\n;-zh汉"), max_size=30))
@example("/en/belt?page=2")
@example("//evil.example")
@example("/%2fevil.example")
def test_wherever_next_leads_it_is_this_site(wanted: str) -> None:
    there = safe_next(wanted, "en")

    assert urlsplit(urljoin("https://house.example/en/", there)).netloc == "house.example"
    assert there.startswith("/")
    assert not there.startswith(("//", "/\\"))
    assert there.isprintable()


def test_a_good_next_is_kept() -> None:
    assert safe_next("/zh/belt/exchanges?page=2&q=%E4%B8%AD", "zh") == "/zh/belt/exchanges?page=2&q=%E4%B8%AD"


@pytest.mark.parametrize(
    "password", ["", "short", "x" * 257, "aaaaaaaaaaaaaaaaaaaa", "my name is LI HUA indeed", "fourteen chars"]
)
def test_a_weak_password_is_refused_with_advice(password: str) -> None:
    with pytest.raises(Invalid) as error:
        decide.check_password(password, name="Li Hua")

    assert error.value.details["field"] == "password"
    assert "15" in error.value.hint.zh


@pytest.mark.parametrize("password", ["four unrelated words", "一二三四五六七八九十甲乙丙丁戊", "x1!" * 6 + "abcdef"])
def test_length_is_asked_for_and_composition_is_not(password: str) -> None:
    decide.check_password(password, name="Li Hua")


@pytest.mark.parametrize("roles", [[], [Role.OWNER], [Role.AUDITOR, Role.OPERATOR], [Role.AUDITOR, Role.PUBLIC]])
def test_roles_that_cannot_be_given_are_refused(roles: list[Role]) -> None:
    with pytest.raises(Invalid):
        decide.check_roles(roles)


@pytest.mark.parametrize("role", ASSIGNABLE)
def test_each_assignable_role_can_be_given_alone(role: Role) -> None:
    assert decide.check_roles([role]) == {role}


@pytest.mark.parametrize("name", ["", "   ", "a\x00b", "a\u202eb", "x" * 65])
def test_a_name_that_cannot_be_read_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        decide.check_name(name)


@given(st.text(max_size=80))
def test_a_strangers_bucket_is_small_and_the_same_however_the_name_is_typed(name: str) -> None:
    assert 0 <= decide.bucket(name) < 1 << decide.STRANGER_BITS
    assert decide.bucket(name) == decide.bucket(f"  {decide.name_key(name)} ")
