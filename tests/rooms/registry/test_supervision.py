"""An authority's cases, on both databases: from a draft nobody sees to a decision that acts, an appeal, and closing."""

from datetime import date

import pytest
from tests.rooms.registry.supervision_house import (
    ASSESSOR,
    AUDITOR,
    BOTH,
    ELSEWHERE,
    GROUND,
    OFFICER,
    OPERATOR,
    SECOND,
    Bench,
    build_bench,
    step,
)

from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused
from safebelt.kernel.text import Text
from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide import supervision as decide
from safebelt.rooms.registry.model import Status
from safebelt.rooms.registry.model.road import AskKind
from safebelt.rooms.registry.model.supervision import (
    AnswerCase,
    CaseKind,
    Channel,
    Confidentiality,
    CountsFrom,
    DayUnit,
    FileIn,
    OpenCase,
    Outcome,
    SetUpOffice,
    Stage,
    StepKind,
    WaitsOn,
)


@pytest.fixture
def bench(registry) -> Bench:
    return build_bench(registry)


def entries(ledger, kind: str = ""):
    return [one for one in ledger.entries(limit=200) if not kind or one.kind == kind]


def in_service(bench: Bench, sql) -> None:
    """Put the system into service past its gates: what is tried here is how it gets out."""
    with sql.begin() as tx:
        system = store.register.system_by_id(tx, bench.system.id)
        bench.registry._put(tx, system, Status.IN_SERVICE, "test", OWNER)


def kept_out_by(bench) -> set[str]:
    gate = bench.registry.gate(bench.system.id, Status.IN_SERVICE)
    return {one.id for one in gate.missing if one.kind is AskKind.MEASURE}


def test_a_case_runs_from_question_to_appeal_and_closing(bench, ledger, sql, clock) -> None:
    registry = bench.registry
    in_service(bench, sql)
    case = bench.case()
    before = len(entries(ledger))
    bench.serve(case, StepKind.QUESTION, days=10)
    registry.answer_case(case.id, AnswerCase(text="日志保存六个月。"), by=OPERATOR)
    bench.serve(case, StepKind.FACT)
    bench.serve(case, StepKind.BREACH)
    bench.serve(case, StepKind.HEARING, days=5)
    registry.answer_case(case.id, AnswerCase(text="我们不同意。"), by=OPERATOR)
    decision = bench.serve(case, StepKind.DECISION, outcome=Outcome.SUSPEND, appeal_days=30, is_suspensive=True)

    assert registry.system(bench.system.id).status is Status.SUSPENDED
    assert decision.appeal_until == date(2026, 12, 21)
    with sql.read() as tx:
        assert [decide.measure_of(steps).id for steps in store.supervision.measures(tx, bench.system.id)] == [
            decision.id
        ]
    assert case.id in kept_out_by(bench)

    clock.move(days=2)
    registry.answer_case(case.id, AnswerCase(kind=StepKind.APPEAL, text="申诉。"), by=OPERATOR)
    found = registry.case_file(case.id, by=OPERATOR)
    assert (found.case.stage, found.case.waits_on, found.position.is_stayed) == (
        Stage.APPEALED,
        WaitsOn.AUTHORITY,
        True,
    )
    with pytest.raises(Refused, match="no hand in the decision"):
        bench.serve(case, StepKind.APPEAL_DECISION, outcome=Outcome.UPHELD)
    bench.serve(case, StepKind.APPEAL_DECISION, outcome=Outcome.ANNULLED, by=SECOND)
    with sql.read() as tx:
        assert [decide.measure_of(steps) for steps in store.supervision.measures(tx, bench.system.id)] == [None]
    assert kept_out_by(bench) == set()
    bench.serve(case, StepKind.CLOSING)

    assert bench.stage(case) == "closed"
    assert registry.system(bench.system.id).status is Status.SUSPENDED  # nothing happens by itself: gates lead back
    served = entries(ledger, "registry.case_step_served.v1")
    assert [one.data["number"] for one in reversed(served)] == list(range(1, 11))
    assert all(one.data["basis"] == [GROUND] for one in served if one.data["side"] == "authority")
    assert len(entries(ledger, "registry.case_opened.v1")) == 1
    assert (
        len(entries(ledger)) - before == 10 + 1 + 1 + 3
    )  # steps, the opening, the passage, three receipts by replying


def test_a_draft_is_private_erasable_and_leaves_nothing_on_the_ledger(bench, ledger, tmp_path) -> None:
    before = len(entries(ledger))
    case = bench.case()
    draft = bench.draft(
        case, StepKind.QUESTION, days=3, text="A secret question", files=(FileIn(name="a.pdf", content=b"%PDF-1"),)
    )

    for other in (OPERATOR, AUDITOR, ELSEWHERE):
        with pytest.raises(NotFound):
            bench.registry.case_file(case.id, by=other)
    assert bench.registry.cases(by=OPERATOR).total == 0
    assert bench.registry.case_attachment(case.id, draft.id, draft.files[0].digest, by=SECOND)[1] == b"%PDF-1"
    bench.registry.erase_draft(case.id, draft.id, by=SECOND)
    bench.registry.erase_case(case.id, by=OFFICER)
    assert len(entries(ledger)) == before
    assert not [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    with pytest.raises(NotFound):
        bench.registry.case_file(case.id, by=OFFICER)


def test_once_something_was_served_a_case_cannot_be_erased(bench) -> None:
    case = bench.case()
    served = bench.serve(case, StepKind.QUESTION, days=3)

    with pytest.raises(Conflict):
        bench.registry.erase_case(case.id, by=OFFICER)
    with pytest.raises(NotFound):
        bench.registry.erase_draft(case.id, served.id, by=OFFICER)


def test_texts_and_names_of_files_stay_out_of_the_leaf_and_digests_go_in(bench, ledger) -> None:
    case = bench.case()
    bench.serve(
        case, StepKind.QUESTION, days=3, text="秘密的问题", files=(FileIn(name="evidence.txt", content=b"plain"),)
    )
    bench.registry.answer_case(
        case.id, AnswerCase(text="秘密的答复"), files=(FileIn(name="log.csv", content=b"a,b"),), by=OPERATOR
    )

    leaves = " ".join(str(one.data) for one in entries(ledger))
    assert "秘密" not in leaves and "evidence.txt" not in leaves and "log.csv" not in leaves
    assert sum(len(one.data["digests"]) for one in entries(ledger, "registry.case_step_served.v1")) == 2


def test_a_case_for_its_parties_only_names_no_system_in_the_leaf(bench, ledger, sql) -> None:
    in_service(bench, sql)
    case = bench.case(confidentiality=Confidentiality.PARTIES, kind=CaseKind.URGENT)
    bench.serve(case, StepKind.FACT)
    decision = bench.serve(case, StepKind.DECISION, outcome=Outcome.SUSPEND)

    told = [one for one in entries(ledger) if one.kind.startswith("registry.case_")]
    assert told and all(one.subject == case.id and bench.system.id not in str(one.data) for one in told)
    assert case.id not in str([one.data for one in ledger.entries(subject=bench.system.id, limit=50)])
    with pytest.raises(Conflict, match="parties only"):
        bench.registry.publish_decision(case.id, decision.id, Text(zh="摘要", en="Summary"), by=OFFICER)


def test_nobody_acts_for_the_other_side(bench) -> None:
    case = bench.case()
    bench.serve(case, StepKind.QUESTION, days=3)

    with pytest.raises(Refused):
        bench.registry.answer_case(case.id, AnswerCase(text="for them"), by=OFFICER)
    for actor in (OPERATOR, BOTH, AUDITOR, OWNER):
        with pytest.raises(Refused):
            bench.registry.open_case(OpenCase(system_id=bench.system.id, about="x", basis=(GROUND,)), by=actor)
        with pytest.raises((Refused, NotFound)):
            bench.registry.draft_step(case.id, step(StepKind.FACT), by=actor)
    for kind in (StepKind.ANSWER, StepKind.APPEAL):
        with pytest.raises(Invalid):
            bench.registry.draft_step(case.id, step(kind), by=OFFICER)
    with pytest.raises(Invalid):
        bench.registry.answer_case(case.id, AnswerCase(kind=StepKind.DECISION, text="we decide"), by=OPERATOR)
    with pytest.raises(Refused):
        bench.registry.cases(by=ASSESSOR)


def test_a_basis_the_rulebook_does_not_know_is_refused_and_another_is_named_in_words(bench) -> None:
    case = bench.case()

    with pytest.raises(Invalid, match="no such basis") as problem:
        bench.draft(case, StepKind.FACT, basis=("eu/ai-act#art_12__para_99",))
    assert "art_12" in problem.value.hint.en
    with pytest.raises(Invalid, match="legal basis"):
        bench.draft(case, StepKind.FACT, basis=())
    draft = bench.draft(case, StepKind.FACT, basis=(), other_basis="Order 7 of the Ministry")
    assert draft.other_basis == "Order 7 of the Ministry"
    shown = bench.registry.case_file(case.id, by=OFFICER).bases[GROUND]
    assert shown.in_rulebook and shown.is_within and shown.source.startswith("https://") and shown.summary.zh


def test_an_unverified_basis_is_shown_as_such(bench) -> None:
    text = bench.registry._rules.text()
    unverified = next(one.id for one in text.norms.values() if one.status.value == "unverified")
    case = bench.case(basis=(unverified,))

    assert not bench.registry.case_file(case.id, by=OFFICER).bases[unverified].is_verified


def test_a_case_is_handed_over_and_nothing_is_lost(bench) -> None:
    case = bench.case()
    asked = bench.serve(case, StepKind.QUESTION, days=10)
    with pytest.raises(NotFound):
        bench.draft(case, StepKind.REFERRAL, to_office=bench.provider.id)
    bench.serve(case, StepKind.REFERRAL, to_office=bench.other.id)
    with pytest.raises(Conflict):
        bench.serve(case, StepKind.FACT)
    with pytest.raises(Refused):
        bench.serve(case, StepKind.ACCEPTANCE)  # the one that refers does not accept
    bench.registry.answer_case(case.id, AnswerCase(text="仍可答复", re=asked.id), by=OPERATOR)
    bench.serve(case, StepKind.DECLINE, by=ELSEWHERE)
    assert bench.registry.case_file(case.id, by=OFFICER).case.office_id == bench.authority.id

    bench.serve(case, StepKind.REFERRAL, to_office=bench.other.id)
    bench.serve(case, StepKind.ACCEPTANCE, by=ELSEWHERE)
    found = bench.registry.case_file(case.id, by=ELSEWHERE)
    assert (found.case.office_id, found.case.zone, len(found.steps)) == (bench.other.id, "Asia/Shanghai", 6)
    with pytest.raises(Refused):
        bench.serve(case, StepKind.FACT)
    assert bench.registry.case_file(case.id, by=OFFICER).steps == found.steps


def test_days_count_from_receipt_only_once_it_is_shown(bench, clock) -> None:
    case = bench.case()
    asked = bench.serve(
        case, StepKind.DOCUMENTS, items=("logs",), days=5, unit=DayUnit.WORKING, counts_from=CountsFrom.RECEIPT
    )
    clock.move(days=30)
    assert bench.registry.case_file(case.id, by=OFFICER).case.due_on is None

    with pytest.raises(Invalid, match="proof"):
        bench.registry.prove_receipt(case.id, asked.id, on=date(2026, 11, 23), note=" ", by=OFFICER)
    with pytest.raises(Invalid):
        bench.registry.prove_receipt(case.id, asked.id, on=date(2026, 11, 20), note="Slip 7", by=OFFICER)
    with pytest.raises(Refused):
        bench.registry.acknowledge(case.id, asked.id, by=OFFICER)
    received = bench.registry.acknowledge(case.id, asked.id, by=OPERATOR)
    assert received.due_on == date(2026, 12, 28)  # Monday 21 December, and five working days
    with pytest.raises(Conflict):
        bench.registry.acknowledge(case.id, asked.id, by=OPERATOR)


def test_the_authoritys_days_are_its_own_time_zones(bench, clock) -> None:
    clock.move(hours=5)  # 17:00 UTC on 21 November: already the 22nd in Shanghai
    registry = bench.registry
    case = registry.open_case(OpenCase(system_id=bench.system.id, about="时区", basis=(GROUND,)), by=ELSEWHERE)
    served = bench.serve(case, StepKind.QUESTION, days=1, by=ELSEWHERE)

    assert (served.served.on, served.due_on) == (date(2026, 11, 22), date(2026, 11, 23))


def test_more_time_is_asked_for_given_and_counted(bench) -> None:
    case = bench.case()
    bench.serve(case, StepKind.QUESTION, days=3)
    bench.registry.answer_case(case.id, AnswerCase(kind=StepKind.EXTENSION_REQUEST, text="请宽限"), by=OPERATOR)
    assert bench.registry.case_file(case.id, by=OFFICER).case.waits_on is WaitsOn.AUTHORITY
    bench.serve(case, StepKind.EXTENSION, outcome=Outcome.GRANTED, due=date(2026, 12, 24))

    found = bench.registry.case_file(case.id, by=OPERATOR).case
    assert (found.waits_on, found.due_on) == (WaitsOn.OPERATOR, date(2026, 12, 24))


def test_an_order_stays_open_until_it_is_verified(bench) -> None:
    case = bench.case()
    bench.serve(case, StepKind.INSPECTION, held_on=date(2026, 11, 20))
    with pytest.raises(Conflict, match="finding"):
        bench.serve(case, StepKind.ORDER, items=("keep logs",), days=10)
    bench.serve(case, StepKind.FACT)
    bench.serve(case, StepKind.ORDER, items=("keep logs",), days=10)
    with pytest.raises(Conflict, match="No order waits"):
        bench.serve(case, StepKind.CLOSING)
    bench.registry.answer_case(case.id, AnswerCase(kind=StepKind.RECTIFIED, text="已整改"), by=OPERATOR)
    bench.serve(case, StepKind.VERIFICATION, outcome=Outcome.NOT_DONE, days=5)
    assert bench.registry.case_file(case.id, by=OPERATOR).case.due_on == date(2026, 11, 26)
    bench.registry.answer_case(case.id, AnswerCase(kind=StepKind.RECTIFIED, text="再次整改"), by=OPERATOR)
    bench.serve(case, StepKind.VERIFICATION, outcome=Outcome.DONE)
    bench.serve(case, StepKind.CLOSING)

    with pytest.raises(Conflict):
        bench.serve(case, StepKind.QUESTION, days=1)
    bench.serve(case, StepKind.REOPENING)
    assert bench.stage(case) == "inquiry"


def test_a_decision_is_public_as_long_as_its_authority_wants_and_says_what_became_of_it(bench) -> None:
    case = bench.case()
    bench.serve(case, StepKind.FACT)
    decision = bench.serve(case, StepKind.DECISION, outcome=Outcome.WARNING, appeal_days=30)
    with pytest.raises(Invalid):
        bench.registry.publish_decision(case.id, decision.id, Text(zh="摘要", en=""), by=OFFICER)
    bench.registry.publish_decision(case.id, decision.id, Text(zh="摘要", en="Summary"), by=OFFICER)
    bench.registry.answer_case(case.id, AnswerCase(kind=StepKind.APPEAL, text="申诉"), by=OPERATOR)

    (shown,) = bench.registry.public_decisions(bench.system.id)
    assert (shown.authority, shown.outcome, shown.standing) == (
        "Market Surveillance Office",
        Outcome.WARNING,
        "appealed",
    )
    bench.registry.publish_decision(case.id, decision.id, Text(zh="", en=""), is_public=False, by=SECOND)
    assert bench.registry.public_decisions(bench.system.id) == ()


def test_what_is_due_soonest_comes_first_and_closed_cases_last(bench) -> None:
    late, soon, closed, _quiet = (bench.case(about=name) for name in ("late", "soon", "closed", "quiet"))
    bench.serve(late, StepKind.QUESTION, days=30)
    bench.serve(soon, StepKind.QUESTION, days=2)
    bench.serve(closed, StepKind.FACT)
    bench.serve(closed, StepKind.CLOSING)

    assert [one.about for one in bench.registry.cases(by=OFFICER).items] == ["soon", "late", "quiet", "closed"]
    assert [one.about for one in bench.registry.cases(by=OPERATOR).items] == ["soon", "late", "closed"]
    assert [one.about for one in bench.registry.cases(by=OFFICER, search="政务 soon").items] == ["soon"]
    assert bench.registry.cases(by=OFFICER, waits_on=WaitsOn.OPERATOR).total == 2
    assert bench.registry.cases(by=ELSEWHERE).total == 0
    assert bench.registry.cases(by=OFFICER, size=3, page=2).items[0].about == "closed"


def test_a_desk_is_its_authoritys_own(bench) -> None:
    setup = SetUpOffice(party_id=bench.authority.id, jurisdiction="eu")
    stranger = ELSEWHERE.__class__(id="usr_stranger", roles=ELSEWHERE.roles, door="web")

    with pytest.raises(Conflict):
        bench.registry.set_up_office(setup, by=ELSEWHERE)
    with pytest.raises(Refused):
        bench.registry.set_up_office(setup, by=stranger)
    with pytest.raises(Refused):
        bench.registry.admit_officer("usr_x", by=stranger)
    for wrong in (
        {"party_id": bench.provider.id},
        {"jurisdiction": "xx"},
        {"zone": "Mars/Base"},
        {"instruments": ("eu/none",)},
    ):
        with pytest.raises(Invalid):
            bench.registry.set_up_office(
                SetUpOffice(**{"party_id": bench.authority.id, "jurisdiction": "eu", **wrong}), by=OFFICER
            )


def test_the_channel_and_the_form_of_a_step_are_kept(bench) -> None:
    case = bench.case()
    draft = bench.draft(case, StepKind.HEARING, held_on=date(2026, 12, 1), not_counted=(date(2026, 11, 30),))
    served = bench.registry.serve_step(case.id, draft.id, channel=Channel.POST, by=OFFICER)

    assert served == bench.registry.case_file(case.id, by=OPERATOR).steps[0]
    assert served.served.channel is Channel.POST
