"""An act that needs two people never happens by one."""

from dataclasses import replace
from datetime import timedelta

import pytest

from safebelt.engines.sql import Sql
from safebelt.kernel.actors import Actor, Role
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused, Unauthenticated
from safebelt.kernel.text import Text
from safebelt.rooms.access.decide import PROPOSAL_DAYS
from safebelt.rooms.access.model import Propose, Stand

from .test_service import remembered

ADA = Actor(id="usr_ada", roles=frozenset({Role.AUTHORITY}), door="web")
ADA_BY_TOKEN = Actor(id="usr_ada", roles=frozenset({Role.AUTHORITY}), door="api")
BO = Actor(id="usr_bo", roles=frozenset({Role.ADMIN}), door="web")
CLERK = Actor(id="usr_clerk", roles=frozenset({Role.OPERATOR}), door="web")
STRANGER = Actor(id="public", roles=frozenset({Role.PUBLIC}), door="web")
ACT = Propose(
    action="rulebook.adopt",
    subject="cn/demo@draft",
    says=Text(zh="通过草案", en="Adopt a draft"),
    reason="It was consulted on.",
    content={"sha256": "ab"},
    where="/rulebook",
)


def second(access, sql: Sql, proposal_id: str, by: Actor, *, action="rulebook.adopt", answer="I read it."):
    with sql.begin() as tx:
        return access.second(tx, proposal_id, action=action, answer=answer, by=by)


def test_a_proposal_waits_until_another_person_seconds_it(access, sql):
    proposal = access.propose(ACT, by=ADA)

    assert access.proposal(proposal.id).stand is Stand.OPEN
    assert second(access, sql, proposal.id, BO).decided_by == BO.id
    assert access.proposal(proposal.id).stand is Stand.SECONDED
    assert access.proposal(proposal.id).content == {"sha256": "ab"}


@pytest.mark.parametrize("same_person", [ADA, ADA_BY_TOKEN])
def test_nobody_seconds_their_own_proposal_by_whatever_door(access, sql, same_person):
    proposal = access.propose(ACT, by=ADA)

    with pytest.raises(Refused, match="themselves"):
        second(access, sql, proposal.id, same_person)
    with pytest.raises(Refused, match="themselves"):
        access.refuse(proposal.id, answer="no", by=same_person)
    assert access.proposal(proposal.id).stand is Stand.OPEN


def test_both_people_need_the_right_to_the_act(access, sql):
    with pytest.raises(Refused):
        access.propose(ACT, by=CLERK)
    with pytest.raises(Unauthenticated):
        access.propose(ACT, by=STRANGER)
    proposal = access.propose(ACT, by=ADA)
    with pytest.raises(Refused):
        second(access, sql, proposal.id, CLERK)
    with pytest.raises(Refused):
        access.refuse(proposal.id, answer="no", by=CLERK)


def test_a_second_is_spent_once_only(access, sql):
    proposal = access.propose(ACT, by=ADA)
    second(access, sql, proposal.id, BO)

    with pytest.raises(Conflict):
        second(access, sql, proposal.id, BO)
    with pytest.raises(Conflict):
        access.refuse(proposal.id, answer="too late", by=BO)
    with pytest.raises(Conflict):
        access.withdraw(proposal.id, answer="too late", by=ADA)


def test_a_second_for_one_act_is_none_for_another(access, sql):
    proposal = access.propose(ACT, by=ADA)

    with pytest.raises(NotFound):
        second(access, sql, proposal.id, BO, action="rulebook.override")
    assert access.proposal(proposal.id).stand is Stand.OPEN


def test_where_the_deed_fails_the_proposal_waits_on(access, sql):
    proposal = access.propose(ACT, by=ADA)

    with pytest.raises(RuntimeError), sql.begin() as tx:
        access.second(tx, proposal.id, action=ACT.action, answer="yes", by=BO)
        raise RuntimeError("the deed failed")
    assert access.proposal(proposal.id).stand is Stand.OPEN


def test_only_who_proposed_withdraws_and_only_others_refuse(access):
    first, other = access.propose(ACT, by=ADA), access.propose(ACT, by=ADA)

    with pytest.raises(Refused):
        access.withdraw(first.id, answer="not mine", by=BO)
    assert access.withdraw(first.id, answer="changed my mind", by=ADA).stand is Stand.WITHDRAWN
    assert access.refuse(other.id, answer="not consulted", by=BO).stand is Stand.REFUSED


def test_what_waited_too_long_has_expired(access, sql, clock):
    proposal = access.propose(ACT, by=ADA)
    clock.now += timedelta(days=PROPOSAL_DAYS)

    assert access.proposal(proposal.id).stand is Stand.EXPIRED
    with pytest.raises(Conflict):
        second(access, sql, proposal.id, BO)


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 2001])
def test_neither_person_acts_without_a_reason(access, sql, reason):
    with pytest.raises(Invalid):
        access.propose(replace(ACT, reason=reason), by=ADA)
    proposal = access.propose(ACT, by=ADA)
    with pytest.raises(Invalid):
        second(access, sql, proposal.id, BO, answer=reason)


def test_both_words_are_in_the_ledger_with_the_hash_of_what_was_proposed(access, sql):
    proposal = access.propose(ACT, by=ADA)
    second(access, sql, proposal.id, BO)

    (made_kind, made_by, made), (kind, by, decided) = remembered(sql)

    assert (made_kind, made_by) == ("access.proposal_made.v1", ADA.id)
    assert len(made["content_sha256"]) == 64
    assert (kind, by) == ("access.proposal_decided.v1", BO.id)
    assert (decided["proposed_by"], decided["stand"]) == (ADA.id, "seconded")


def test_an_unknown_proposal_is_not_there_even_under_a_strange_name(access):
    for name in ("prp_nobody", "", "\x00", "\ud800"):
        with pytest.raises(NotFound):
            access.proposal(name)


def test_proposals_are_found_by_act_and_subject_latest_first(access, clock):
    first = access.propose(ACT, by=ADA)
    clock.now += timedelta(seconds=1)
    latest = access.propose(ACT, by=BO)

    assert [p.id for p in access.proposals()] == [latest.id, first.id]
    assert access.proposals(actions=["rulebook.override"]) == []
    assert [p.id for p in access.proposals(subject=ACT.subject, limit=1)] == [latest.id]
