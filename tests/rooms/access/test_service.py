"""What access does, on both databases."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER, PUBLIC, Actor, Role
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Problem, Refused, TooMany, Unauthenticated
from safebelt.rooms.access import decide
from safebelt.rooms.access.model import FIRST_ADMIN_ROLES
from safebelt.rooms.access.service import Access
from safebelt.rooms.access.service.base import hashed
from safebelt.rooms.ledger import store as ledger_store

from .conftest import PASSWORD, make_ledger

WRONG = "not the right words at all"


def remembered(sql: Sql) -> list[tuple[str, str, dict[str, Any]]]:
    """Kind, actor and public fields of every ledger entry, in order."""
    with sql.read() as tx:
        rows = tx.execute(sa.select(ledger_store.entry).order_by(ledger_store.entry.c.id)).all()
    return [(row.kind, row.actor, json.loads(row.body)["data"]) for row in rows]


def kinds(sql: Sql) -> list[str]:
    return [kind.removeprefix("access.").removesuffix(".v1") for kind, _, _ in remembered(sql)]


def everything_stored(sql: Sql) -> bytes:
    """All cells of all tables, joined."""
    with sql.read() as tx:
        cells = [cell for table in metadata.sorted_tables for row in tx.execute(sa.select(table)) for cell in row]
    return b"\n".join(cell if isinstance(cell, bytes) else str(cell).encode() for cell in cells)


def fail(access: Access, name: str, times: int) -> Problem | None:
    problem: Problem | None = None
    for _ in range(times):
        with pytest.raises(Problem) as error:
            access.sign_in(name, WRONG)
        problem = error.value
    return problem


@pytest.fixture
def li(access: Access) -> Actor:
    user = access.add_user("Li Hua", [Role.OPERATOR], password=PASSWORD, by=OWNER).user
    return Actor(id=user.id, roles=user.roles, door="web")


# -- the first administrator ------------------------------------------------------------------------------------


def test_the_first_run_adds_an_administrator_whose_password_is_told_once(access: Access, sql: Sql) -> None:
    password = access.first_run()

    assert password is not None
    opened = access.sign_in("admin", password)
    assert access.authenticate_session(opened.token).roles == FIRST_ADMIN_ROLES
    assert access.first_run() is None
    assert kinds(sql) == ["user_added", "signed_in"]


def test_a_preset_password_is_used_and_not_told(sql, clock, new_id, chance, permissions, passwords) -> None:
    ledger = make_ledger(sql, clock, new_id, chance)
    access = Access(
        sql, ledger, permissions, clock=clock, new_id=new_id, chance=chance, admin_password="short", passwords=passwords
    )

    assert access.first_run() is None
    assert access.sign_in("admin", "short").token


# -- signing in ----------------------------------------------------------------------------------------------------


def test_name_case_and_width_do_not_matter_and_the_password_does(access: Access, li: Actor) -> None:
    assert access.authenticate_session(access.sign_in(" ＬＩ hua ", PASSWORD).token) == li
    with pytest.raises(Unauthenticated):
        access.sign_in("Li Hua", PASSWORD + " ")


def test_five_failures_lock_the_name_even_for_the_right_password_until_time_has_passed(
    access: Access, li: Actor, clock, sql: Sql
) -> None:
    assert isinstance(fail(access, "li hua", decide.MAX_FAILURES - 1), Unauthenticated)
    assert isinstance(fail(access, "li hua", 1), TooMany)

    clock.move(seconds=decide.LOCKED_SECONDS - 1)
    with pytest.raises(TooMany):
        access.sign_in("Li Hua", PASSWORD)
    clock.move(seconds=1)
    access.sign_in("Li Hua", PASSWORD)

    assert kinds(sql) == ["user_added", *["sign_in_failed"] * 4, "locked_out", "signed_in"]


def test_a_success_forgets_the_failures_before_it(access: Access, li: Actor) -> None:
    for _ in range(3):
        fail(access, "Li Hua", decide.MAX_FAILURES - 1)
        access.sign_in("Li Hua", PASSWORD)


def test_a_name_nobody_bears_gets_the_same_answers_and_the_same_work(access: Access, li: Actor, passwords) -> None:
    known = [fail(access, "Li Hua", 1) for _ in range(decide.MAX_FAILURES + 1)]
    compared_for_known, passwords.compared = passwords.compared, []
    unknown = [fail(access, "Nobody At All", 1) for _ in range(decide.MAX_FAILURES + 1)]

    said = [
        [(type(problem), problem.what, problem.hint, problem.details) for problem in each] for each in (known, unknown)
    ]
    assert said[0] == said[1]
    assert len(compared_for_known) == len(passwords.compared) == decide.MAX_FAILURES
    costs = {stored.rsplit("$", 2)[0] for stored in compared_for_known + passwords.compared}
    assert len(costs) == 1, "the stand-in must cost what real hashes cost"


def test_a_disabled_user_with_the_right_password_looks_like_a_wrong_one(access: Access, li: Actor) -> None:
    access.disable(li.id, by=OWNER)

    with pytest.raises(Unauthenticated) as error:
        access.sign_in("Li Hua", PASSWORD)

    assert error.value.what == decide.wrong().what


def test_many_tries_at_once_are_not_all_the_first(access: Access, li: Actor, passwords) -> None:
    def attempt(_: int) -> type[BaseException]:
        try:
            access.sign_in("Li Hua", WRONG)
        except Problem as problem:
            return type(problem)
        raise AssertionError

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(attempt, range(24)))

    assert len(passwords.compared) == decide.MAX_FAILURES
    assert answers.count(Unauthenticated) == decide.MAX_FAILURES - 1


def test_a_flood_neither_fills_the_log_nor_hides(access: Access, li: Actor, clock, sql: Sql) -> None:
    flood = 50
    for n in range(flood):
        fail(access, f"guess {n}", 1)
    access.sign_in("Li Hua", PASSWORD)
    fail(access, "guess again", 1)

    entries = remembered(sql)
    failures = [data for kind, _, data in entries if kind == "access.sign_in_failed.v1"]
    signed_in = next(data for kind, _, data in entries if kind == "access.signed_in.v1")
    assert len(failures) == decide.FAILURES_RECORDED
    assert len(failures) + signed_in["unrecorded_failures"] == flood
    clock.move(seconds=decide.FAILURES_WINDOW_SECONDS)
    fail(access, "and again", 1)
    assert remembered(sql)[-1][2]["unrecorded_failures"] == 1, "the one after the sign-in is owned up to"


def test_what_was_typed_as_a_name_is_stored_nowhere(access: Access, sql: Sql) -> None:
    fail(access, "my-password-by-mistake", 2)

    assert b"by-mistake" not in everything_stored(sql)


# -- sessions ------------------------------------------------------------------------------------------------------


def test_a_session_ends_when_idle_when_old_and_when_its_user_is_disabled(access: Access, li: Actor, clock) -> None:
    idle = access.sign_in("Li Hua", PASSWORD).token
    clock.move(seconds=decide.IDLE_SECONDS)
    with pytest.raises(Unauthenticated):
        access.authenticate_session(idle)

    old = access.sign_in("Li Hua", PASSWORD).token
    for _ in range(decide.SESSION_SECONDS // decide.IDLE_SECONDS * 2 - 1):
        clock.move(seconds=decide.IDLE_SECONDS / 2)
        assert access.authenticate_session(old) == li
    clock.move(seconds=decide.IDLE_SECONDS / 2)
    with pytest.raises(Unauthenticated):
        access.authenticate_session(old)

    disabled = access.sign_in("Li Hua", PASSWORD).token
    access.disable(li.id, by=OWNER)
    with pytest.raises(Unauthenticated):
        access.authenticate_session(disabled)


def test_signing_out_ends_this_session_and_signing_out_everywhere_ends_all(access: Access, li: Actor, sql: Sql) -> None:
    one, two, three = (access.sign_in("Li Hua", PASSWORD).token for _ in range(3))

    access.sign_out(one)
    with pytest.raises(Unauthenticated):
        access.authenticate_session(one)
    assert access.authenticate_session(two) == li
    assert access.sign_out_everywhere(li.id, by=li) == 2
    with pytest.raises(Unauthenticated):
        access.authenticate_session(three)
    access.sign_out("never was")
    assert kinds(sql)[-2:] == ["signed_out", "signed_out"]


def test_one_may_end_only_sessions_of_ones_own(access: Access, li: Actor) -> None:
    session = access.sign_in("Li Hua", PASSWORD).session
    with pytest.raises(NotFound):
        access.end_session(session.id, user="usr_other", by=li)

    access.end_session(session.id, user=li.id, by=li)

    assert access.sessions(li.id) == []


def test_new_roles_count_in_sessions_that_are_already_open(access: Access, li: Actor) -> None:
    token = access.sign_in("Li Hua", PASSWORD).token

    access.change_roles(li.id, [Role.AUDITOR], by=OWNER)

    assert access.authenticate_session(token).roles == {Role.AUDITOR}


# -- passwords -----------------------------------------------------------------------------------------------------


def test_changing_the_password_needs_the_old_one_and_ends_every_other_session(access: Access, li: Actor) -> None:
    elsewhere = access.sign_in("Li Hua", PASSWORD).token
    fresh_words = "some other long enough words"
    with pytest.raises(Unauthenticated):
        access.change_password(li.id, old=WRONG, new=fresh_words, by=li)

    here = access.change_password(li.id, old=PASSWORD, new=fresh_words, by=li).token

    assert access.authenticate_session(here) == li
    with pytest.raises(Unauthenticated):
        access.authenticate_session(elsewhere)
    with pytest.raises(Unauthenticated):
        access.sign_in("Li Hua", PASSWORD)
    access.sign_in("Li Hua", fresh_words)


def test_guessing_the_old_password_locks_too(access: Access, li: Actor) -> None:
    for _ in range(decide.MAX_FAILURES):
        with pytest.raises(Problem):
            access.change_password(li.id, old=WRONG, new="some other long enough words", by=li)

    with pytest.raises(TooMany):
        access.sign_in("Li Hua", PASSWORD)


def test_a_reset_lifts_a_lock_out_and_ends_sessions(access: Access, li: Actor, sql: Sql) -> None:
    token = access.sign_in("Li Hua", PASSWORD).token
    fail(access, "Li Hua", decide.MAX_FAILURES)

    password = access.reset_password("li hua", by=OWNER)

    with pytest.raises(Unauthenticated):
        access.authenticate_session(token)
    assert access.sign_in("Li Hua", password).session.user == li.id
    assert remembered(sql)[-2][2] == {"is_reset": True, "sessions_ended": 1}


# -- users ---------------------------------------------------------------------------------------------------------


def test_a_name_is_borne_once_and_never_enters_a_proven_entry(access: Access, li: Actor, sql: Sql) -> None:
    with pytest.raises(Conflict):
        access.add_user("LI HUA", [Role.AUDITOR], by=OWNER)

    with sql.read() as tx:
        bodies = tx.execute(sa.select(ledger_store.entry.c.body)).scalars().all()
    assert bodies
    assert all(b"Li Hua" not in body for body in bodies)


def test_the_last_administrator_can_neither_be_demoted_nor_disabled(access: Access) -> None:
    access.first_run()
    other = access.add_user("other", [Role.OPERATOR], by=OWNER).user
    with pytest.raises(Conflict):
        access.disable("admin", by=OWNER)
    with pytest.raises(Conflict):
        access.change_roles("admin", [Role.OPERATOR], by=OWNER)

    access.change_roles(other.id, [Role.ADMIN], by=OWNER)
    access.disable("admin", by=OWNER)

    with pytest.raises(Conflict):
        access.disable(other.id, by=OWNER)


def test_what_changes_nothing_writes_nothing(access: Access, li: Actor, sql: Sql) -> None:
    access.change_roles(li.id, [Role.OPERATOR], by=OWNER)
    access.enable(li.id, by=OWNER)
    token = access.issue_token(li.id, name="ci", by=li).token
    access.revoke_token(token.id, by=li)
    access.revoke_token(token.id, by=li)

    assert kinds(sql) == ["user_added", "token_issued", "token_revoked"]


def test_a_deed_that_fails_leaves_neither_row_nor_entry(access: Access, li: Actor, sql: Sql, monkeypatch) -> None:
    before = everything_stored(sql)

    def broken(*_args: Any, **_kwargs: Any) -> str:
        raise RuntimeError("the ledger is down")

    monkeypatch.setattr(access._ledger, "append", broken)

    for deed in (
        lambda: access.add_user("other", [Role.AUDITOR], by=OWNER),
        lambda: access.change_roles(li.id, [Role.AUDITOR], by=OWNER),
        lambda: access.disable(li.id, by=OWNER),
        lambda: access.reset_password(li.id, by=OWNER),
        lambda: access.issue_token(li.id, name="ci", by=OWNER),
    ):
        with pytest.raises(RuntimeError):
            deed()
    assert everything_stored(sql) == before


# -- tokens --------------------------------------------------------------------------------------------------------


def test_a_token_acts_for_its_user_until_it_expires_or_is_revoked(access: Access, li: Actor, clock) -> None:
    issued = access.issue_token("li hua", name="nightly report", days=1, by=OWNER)
    assert issued.secret.startswith("sbt_")
    actor = access.authenticate_token(issued.secret)
    assert (actor.id, actor.roles, actor.door) == (li.id, li.roles, "api")
    assert access.tokens(li.id)[0].last_used_at == clock()

    clock.move(days=1)
    with pytest.raises(Unauthenticated):
        access.authenticate_token(issued.secret)

    second = access.issue_token(li.id, name="second", by=OWNER)
    access.revoke_token(second.token.id, by=OWNER)
    with pytest.raises(Unauthenticated):
        access.authenticate_token(second.secret)


def test_a_disabled_user_has_no_working_token_and_gets_no_new_one(access: Access, li: Actor) -> None:
    issued = access.issue_token(li.id, name="ci", by=OWNER)
    access.disable(li.id, by=OWNER)

    with pytest.raises(Unauthenticated):
        access.authenticate_token(issued.secret)
    with pytest.raises(Conflict):
        access.issue_token(li.id, name="ci", by=OWNER)


def test_somebody_elses_token_is_as_good_as_not_there(access: Access, li: Actor) -> None:
    issued = access.issue_token(li.id, name="ci", by=OWNER)

    with pytest.raises(NotFound):
        access.revoke_token(issued.token.id, only_of="usr_other", by=OWNER)
    assert access.authenticate_token(issued.secret).id == li.id


@pytest.mark.parametrize("secret", ["", "sbt_", "sbt_nonsense", "x" * 10_000, "不是令牌", "a\x00b", "a\ud800b"])
def test_nonsense_opens_nothing(access: Access, li: Actor, secret: str) -> None:
    for authenticate in (access.authenticate_session, access.authenticate_token):
        with pytest.raises(Unauthenticated):
            authenticate(secret)


@pytest.mark.parametrize("odd", ["a\x00b", "a\ud800b", "x" * 10_000, ""])
def test_text_no_database_can_hold_names_nobody(access: Access, li: Actor, odd: str) -> None:
    with pytest.raises(Unauthenticated):
        access.sign_in(odd, odd)
    for deed in (
        lambda: access.user(odd),
        lambda: access.revoke_token(odd, by=OWNER),
        lambda: access.end_session(odd or "none", user=li.id, by=li),
    ):
        with pytest.raises(NotFound):
            deed()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    password=st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=15, max_size=40), data=st.data()
)
def test_no_password_session_or_token_is_ever_stored_in_clear(
    access: Access, sql: Sql, password: str, data: Any
) -> None:
    name = "user " + str(data.draw(st.integers(0, 10**12)))
    try:
        user = access.add_user(name, [Role.OPERATOR], password=password, by=OWNER).user
    except (Invalid, Conflict):
        return
    opened = access.sign_in(name, password)
    issued = access.issue_token(user.id, name="ci", by=OWNER)
    drawn = access.reset_password(user.id, by=OWNER)

    stored = everything_stored(sql)

    secrets = (password.strip(), opened.token, issued.secret, issued.secret.removeprefix("sbt_"), drawn)
    assert [secret for secret in secrets if secret.encode() in stored] == []
    assert hashed(issued.secret) in stored, "the scan sees what is stored"


# -- may they ------------------------------------------------------------------------------------------------------


def test_a_refusal_says_which_policy_decided_and_a_stranger_is_asked_to_sign_in(access: Access, li: Actor) -> None:
    access.authorize(li, "belt.stop")
    with pytest.raises(Refused) as refused:
        access.authorize(li, "belt.resume")
    with pytest.raises(Unauthenticated) as stranger:
        access.authorize(PUBLIC, "belt.stop")

    assert "belt.red-line-resume-needs-oversight" in refused.value.what.en
    assert "红线" in refused.value.what.zh
    assert refused.value.details["policies"] == "belt.red-line-resume-needs-oversight"
    assert "policies" in stranger.value.details


def test_an_administrator_cannot_raise_themselves(access: Access) -> None:
    access.first_run()
    admin = access.user("admin")
    actor = Actor(id=admin.id, roles=admin.roles, door="api")

    access.authorize(actor, "access.manage_users", "usr_other")
    with pytest.raises(Refused):
        access.authorize(actor, "access.manage_users", admin.id)


def test_why_answers_for_a_user_by_name(access: Access, li: Actor) -> None:
    assert access.why_user("li hua", "belt.stop")[0]
    assert not access.why_user(li.id, "ledger.erase")[0]
    with pytest.raises(NotFound):
        access.why_user("nobody", "belt.stop")
