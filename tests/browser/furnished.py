"""A house with something on every page of the register, for tests that walk them all.

`furnish(house)` enters one long-lived system that has been through almost everything, an import, a training job and an
authority's case, and returns what the addresses of their pages are made of.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.rooms.certificates.house import csr, spare_keys
from tests.rooms.registry.lifecycle_house import DESCRIBED, attest_all, sign, staff
from tests.rooms.registry.supervision_house import step
from tests.rooms.registry.test_imports import MAPPING, table
from tests.rooms.registry.training_cases import CONFIG, DATA, asking, forecast, granting
from tests.rooms.rulebook.house import law

from safebelt.app import House, every_table
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import OWNER, Actor, Role
from safebelt.rooms.certificates.model import Found, Issue
from safebelt.rooms.registry.model import ChangeSystem, PartyKind, RegisterParty, Status, System
from safebelt.rooms.registry.model.imports import Batch, Form, Wish
from safebelt.rooms.registry.model.lifecycle import Issuer, Move
from safebelt.rooms.registry.model.notes import Assign, Say
from safebelt.rooms.registry.model.publication import EndPublication, Publish
from safebelt.rooms.registry.model.search import BulkKind, BulkOrder, Question, SaveView
from safebelt.rooms.registry.model.supervision import AnswerCase, OpenCase, SetUpOffice, StepKind
from safebelt.rooms.registry.model.things import LinkThing, ProposeVersion, RegisterThing, Relation, ThingKind
from safebelt.rooms.registry.model.training import ReportJob, StartJob
from safebelt.rooms.registry.service import Registry
from safebelt.settings import Settings

PASSWORD = "a long enough password 7"
STAFF = "staff"
OFFICER = "officer"
CHANGES = 12
"""Changes of a registration that make its timeline long enough to fold."""
CLEAR = Publish(
    reason="面向公众 Open to all",
    contact="help@service.example",
    cleared="普通公共服务 An ordinary service",
    not_for_zh="不作任何决定",
    not_for_en="It decides nothing",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Furnished:
    """What the addresses of the pages are made of."""

    system: str
    gone: str
    party: str
    model: str
    link: str
    versions: tuple[str, str]
    evidence: str
    attachment: str
    comment: str
    task: str
    asked: str
    running: str
    batch: str
    bulk: str
    case: str
    draft: str
    certificate: str


def build_house(folder: Path) -> House:
    """The whole console, put together as in life, with tables made from what the rooms declare."""
    house = House(Settings(home=folder / "home", database_url=f"sqlite:///{folder / 'house.db'}"))
    house.__dict__["sql"] = Sql(house.settings.sql_url)
    every_table().create_all(house.sql.engine)
    house.rulebook.__dict__["law"] = law()
    return house


def furnish(house: House) -> Furnished:
    """Fill a house that has no users and systems yet."""
    staff_roles = (Role.OPERATOR, Role.OVERSEER, Role.ADMIN)
    users = {
        name: house.access.add_user(name, list(roles), password=PASSWORD, by=OWNER).user
        for name, roles in ((STAFF, staff_roles), (OFFICER, (Role.AUTHORITY,)))
    }
    staff_actor = Actor(id=users[STAFF].id, roles=frozenset(staff_roles), door="web")
    officer = Actor(id=users[OFFICER].id, roles=frozenset({Role.AUTHORITY}), door="web")
    registry = house.registry
    system = _lived(registry, staff_actor)
    asked, running = _jobs(registry, staff_actor)
    certificate = _certificate(house, system)
    case, draft = _case(registry, system, officer, staff_actor)
    return Furnished(
        system=system.id,
        gone=_gone(registry),
        party=system.provider_id,
        evidence=registry.life(system.id).evidence[0].id,
        asked=asked,
        running=running,
        batch=_batch(registry).id,
        case=case,
        draft=draft,
        certificate=certificate,
        **_parts(registry, system),
        **_notes(registry, system),
        bulk=_views_and_bulk(registry, system),
    )


def _lived(registry: Registry, by: Actor) -> System:
    """A system that was described, led into service, changed many times, and published."""
    party = registry.register_party(RegisterParty(name="明理科技有限公司", contact="+86 10 5555 0000"), by=by)
    system = registry.register_described(DESCRIBED, provider_id=party.id, by=by)
    person = staff(registry, system.id)
    attest_all(registry, system.id, person)
    sign(registry, system.id, person)
    registry.move(system.id, Move(to=Status.IN_SERVICE, reason="验收完成 accepted"), by=by)
    for number in range(CHANGES):
        now = registry.system(system.id)
        change = ChangeSystem(
            version=now.version, reason=f"第 {number + 1} 次修订 revision", purpose_en=f"Sorts mail, take {number + 1}"
        )
        registry.change_system(system.id, change, by=by)
    registry.describe(system.id, DESCRIBED.replace("functions: [", "functions: [predicts_or_forecasts, "), by=by)
    registry.publish(system.id, CLEAR, by=by)
    return registry.system(system.id)


def _certificate(house: House, system: System) -> str:
    """A certificate of a system in service, by an authority whose keys other tests know too."""
    house.certificates._makes_key = spare_keys()
    house.certificates.found(Found(organization="明理认证 Mingli", country="CN", issuer=Issuer.SELF), by=OWNER)
    return house.certificates.issue(Issue(system_id=system.id, request=csr()), by=OWNER).serial


def _gone(registry: Registry) -> str:
    """A system that was public once and is not any more."""
    system = forecast(registry, facts="")
    registry.publish(system.id, CLEAR, by=OWNER)
    registry.unpublish(system.id, EndPublication(reason="服务停用 The service was closed"), by=OWNER)
    return system.id


def _parts(registry: Registry, system: System) -> dict[str, Any]:
    model = registry.register_thing(
        RegisterThing(
            kind=ThingKind.MODEL,
            name_zh="通用分类模型",
            name_en="A classification model with quite a long name",
            about_zh="给邮件分类。",
            about_en="Classifies mail.",
            owner_id=system.provider_id,
            licence="Apache-2.0",
            sha256="ab" * 32,
            details={"parameters": "7,000,000,000", "modalities": ("text",)},
        ),
        by=OWNER,
    )
    link = registry.link_thing(system.id, LinkThing(thing_id=model.id, relation=Relation.USES_MODEL), by=OWNER)
    versions = tuple(
        registry.propose_version(
            model.id, ProposeVersion(label=label, digest=mark * 64, notes_en="Trained anew"), by=OWNER
        ).id
        for label, mark in (("2026.10", "c"), ("2026.11", "d"))
    )
    return {"model": model.id, "link": link.id, "versions": versions}


def _jobs(registry: Registry, runner: Actor) -> tuple[str, str]:
    """A job that waits for a person, and one that runs and has reported."""
    system = forecast(registry)
    asked = registry.ask_job(asking(system.id), by=runner)
    running = registry.ask_job(asking(system.id), by=runner)
    registry.grant_job(running.id, granting(system), by=OWNER)
    registry.start_job(running.id, StartJob(datasets=(DATA,), config=CONFIG), by=runner)
    for number in range(1, 6):
        told = ReportJob(number=number, step=number * 10, metrics={"accuracy": 1 - 0.5 / number, "loss": 1 / number})
        registry.report_job(running.id, told, by=runner)
    return asked.id, running.id


def _case(registry: Registry, system: System, officer: Actor, operator: Actor) -> tuple[str, str]:
    """A case with a question, its answer, a finding and a draft."""
    office = registry.register_party(
        RegisterParty(name="Market Surveillance Office", kind=PartyKind.AUTHORITY), by=OWNER
    )
    registry.set_up_office(
        SetUpOffice(party_id=office.id, jurisdiction="eu", instruments=("eu/ai-act",), zone="Europe/Dublin"),
        by=officer,
    )
    ground = ("eu/ai-act#art_12__para_1",)
    case = registry.open_case(OpenCase(system_id=system.id, about="Logs of the help desk", basis=ground), by=officer)

    def draft(kind: StepKind, **more: Any) -> str:
        return registry.draft_step(case.id, step(kind, **more), by=officer).id

    registry.serve_step(case.id, draft(StepKind.QUESTION, days=10), by=officer)
    registry.answer_case(case.id, AnswerCase(text="日志保存六个月。 Six months."), by=operator)
    registry.serve_step(case.id, draft(StepKind.BREACH), by=officer)
    registry.serve_step(case.id, draft(StepKind.HEARING, days=5), by=officer)
    return case.id, draft(StepKind.QUESTION, days=3)


def _batch(registry: Registry) -> Batch:
    return registry.import_files([table()], Wish(form=Form.CSV, mapping=MAPPING), by=OWNER)


def _notes(registry: Registry, system: System) -> dict[str, str]:
    file = registry.attach(system.id, "验收报告 acceptance report.txt", [b"All was looked at."], by=OWNER)
    said = registry.comment(Say(subject_id=system.id, text="请复核日志。 Please look at the logs."), by=OWNER)
    task = registry.assign_task(Assign(subject_id=system.id, title="补充检测报告", assignee="owner"), by=OWNER)
    return {"attachment": file.id, "comment": said.id, "task": task.id}


def _views_and_bulk(registry: Registry, system: System) -> str:
    registry.save_view(SaveView(name="垃圾邮件 Spam", question=Question(text="spam"), is_shared=True), by=OWNER)
    registry.tag_system(system.id, add="试点 pilot", by=OWNER)
    order = BulkOrder(kind=BulkKind.ADD_TAG, value="年度复核 yearly", systems=(system.id,))
    return registry.order_bulk(order, by=OWNER).id


def pages_of(made: Furnished) -> tuple[tuple[str, str], ...]:
    """Return every page of register and public register: who walks it, "" for anybody, and its path after the language."""
    one, case = f"registry/systems/{made.system}", f"registry/supervision/{made.case}"
    by_staff = (
        "",
        "registry",
        "registry?search=spam",
        "registry?search=nothing-at-all",
        f"registry/bulk/{made.bulk}",
        "registry/systems/new",
        one,
        *(
            f"{one}/{page}"
            for page in (
                "facts", "people/new", "change", "gates", "gates?to=registered", "gates/attest?kind=training_record",
                "gates/sign?to=in_service", "gates/move?to=suspended", "changes", "responsibility", "parts", "diff",
                "notes", "package", "forms", "forms/eu-annex-viii-a", "forms/nl-algoritmeregister", "publication",
            )
        ),
        f"registry/evidence/{made.evidence}",
        f"registry/evidence/{made.evidence}/withdraw",
        "registry/parties",
        "registry/parties/new",
        f"registry/parties/{made.party}",
        f"registry/parties/{made.party}/change",
        "registry/things",
        "registry/things/new",
        "registry/things/new?kind=model",
        f"registry/things/{made.model}",
        f"registry/things/{made.model}/change",
        f"registry/things/{made.model}/diff",
        f"registry/links/{made.link}/end",
        f"registry/versions/{made.versions[0]}/withdraw",
        f"registry/notes/{made.model}",
        f"registry/files/{made.attachment}/withdraw",
        "registry/tasks",
        f"registry/tasks/{made.task}/change",
        "registry/jobs",
        "registry/jobs/new",
        f"registry/jobs/new?system={made.system}",
        f"registry/jobs?system={made.system}",
        f"registry/jobs/{made.asked}",
        f"registry/jobs/{made.running}",
        "registry/supervision",
        case,
        f"{case}/reply/answer",
        "registry/imports",
        f"registry/imports/{made.batch}",
        f"registry/publications?batch={made.batch}",
        "certificates",
        "certificates/issue",
        f"certificates/{made.certificate}",
        "portal/complaints",
        "portal/complaints/enter",
        "labelling",
        f"labelling/mark?system={made.system}",
    )  # fmt: skip
    by_officer = (
        "registry/supervision",
        "registry/supervision/office",
        f"registry/supervision/new?system={made.system}",
        case,
        f"{case}/draft/decision",
        f"{case}/draft/question",
        f"{case}?view=print",
    )
    by_anybody = (
        "register",
        "register?q=spam",
        "register?q=nothing-at-all",
        f"register/{made.system}",
        f"register/{made.gone}",
        "register/statistics",
        "complaints",
        f"complaints?system={made.system}",
        "complaints/follow",
        f"complaints/paper?system={made.system}",
        "verify",
        "certificates/check",
        "certificates/challenge",
    )
    # Visitors first: a connection of theirs that lay idle while a hundred pages were read is given up by the server.
    walks = (("", by_anybody), (STAFF, by_staff), (OFFICER, by_officer))
    return tuple((who, path) for who, paths in walks for path in paths)
