"""The registry's command line: `safebelt registry parties|systems|people …`."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.registry.model import (
    PARTY_KINDS,
    PERSON_ROLES,
    STANDINGS,
    Dossier,
    NamePerson,
    Party,
    PartyKind,
    PartyRole,
    PersonRole,
    RegisterParty,
    RegisterSystem,
    Standing,
    Status,
    System,
)
from safebelt.rooms.registry.service import Registry
from safebelt.web.terminal import DONE, NEGATIVE, NOT_EVALUATED, Answer, read_text

_EXITS = {Standing.EVALUATED: DONE, Standing.INCOMPLETE: NEGATIVE, Standing.NOT_EVALUATED: NOT_EVALUATED}


def add(app: App, registry: Registry) -> None:
    """Add parties, systems and people to the group `registry`."""
    app.command(_parties(registry))
    app.command(_systems(registry))
    app.command(_people(registry))


def _parties(registry: Registry) -> App:
    app = App(name="parties", help="Who provides, deploys, supervises. 登记主体。")

    @app.command
    def add(
        name: str,
        *,
        kind: PartyKind = PartyKind.ORGANISATION,
        role: Annotated[tuple[PartyRole, ...], Parameter(negative="")] = (),
        contact: str = "",
    ) -> Answer:
        """Register a party."""
        party = registry.register_party(RegisterParty(name=name, kind=kind, roles=role, contact=contact), by=OWNER)
        return Answer(
            data=_data(party), says=Text(zh=f"已登记主体 {party.id}。", en=f"Registered the party {party.id}.")
        )

    @app.command(name="list")
    def list_(*, search: str = "", page: int = 1, size: int = 20) -> Answer:
        """List parties."""
        found = registry.parties(search=search, page=page, size=size)
        none = Text(zh="还没有符合的登记主体。", en="No party matches yet.")
        return Answer(data=_data(found), says=_lines([_party_line(each) for each in found.items], none))

    return app


def _systems(registry: Registry) -> App:
    app = App(name="systems", help="AI systems and their dossiers. AI 系统与卷宗。")

    @app.command
    def add(
        *,
        provider: str,
        name_zh: str = "",
        name_en: str = "",
        purpose_zh: str = "",
        purpose_en: str = "",
        deployer: str = "",
    ) -> Answer:
        """Register an AI system."""
        command = RegisterSystem(
            provider_id=provider,
            name_zh=name_zh,
            name_en=name_en,
            purpose_zh=purpose_zh,
            purpose_en=purpose_en,
            deployer_id=deployer,
        )
        system = registry.register_system(command, by=OWNER)
        return Answer(
            data=_data(system), says=Text(zh=f"已登记系统 {system.id}。", en=f"Registered the system {system.id}.")
        )

    @app.command(name="list")
    def list_(*, search: str = "", status: Status | None = None, page: int = 1, size: int = 20) -> Answer:
        """List AI systems."""
        found = registry.systems(search=search, status=status, page=page, size=size)
        none = Text(zh="还没有符合的系统。", en="No system matches yet.")
        return Answer(data=_data(found), says=_lines([_system_line(each) for each in found.items], none))

    @app.command
    def describe(system_id: str, file: Path) -> Answer:
        """Put the facts in FILE (a descriptor, YAML or JSON) on record; exits 1 where a red line bars the system."""
        record = registry.describe(system_id, read_text(file), by=OWNER)
        barred = registry.barred_by(system_id)
        data = {"system": system_id, "version": record.version, "sha256": record.sha256, "barred_by": list(barred)}
        bars_zh = f"触及红线，不得投入服务：{'、'.join(barred)}。" if barred else ""
        bars_en = f" Red lines bar it from service: {', '.join(barred)}." if barred else ""
        says = Text(
            zh=f"已记录第 {record.version} 版事实（{len(record.description.facts)} 项）。{bars_zh}",
            en=f"Facts on record, version {record.version} ({len(record.description.facts)} facts).{bars_en}",
        )
        return Answer(data=data, says=says, exit_code=NEGATIVE if barred else DONE)

    @app.command
    def show(system_id: str) -> Answer:
        """Show a system's dossier; exits 1 where it is incomplete, 3 while it is not evaluated."""
        return dossier_answer(registry, system_id)

    return app


def dossier_answer(registry: Registry, system_id: str) -> Answer:
    """Tell a system's dossier."""
    dossier = registry.dossier(system_id)
    return Answer(data=_data(dossier), says=_told(dossier), exit_code=_EXITS[dossier.standing])


def _people(registry: Registry) -> App:
    app = App(name="people", help="Who answers for a system. 谁对系统负责。")

    @app.command(name="name")
    def name_(
        system_id: str,
        name: str,
        *,
        role: PersonRole,
        contact: str = "",
        since: date | None = None,
        replaces: str = "",
    ) -> Answer:
        """Name a person for a system."""
        command = NamePerson(role=role, name=name, contact=contact, since=since, replaces=replaces)
        person = registry.name_person(system_id, command, by=OWNER)
        title = PERSON_ROLES[role]
        return Answer(
            data=_data(person),
            says=Text(zh=f"已指定{title.zh} {person.id}。", en=f"Named the {title.en} {person.id}."),
        )

    return app


def _data(word: Any) -> Any:
    return msgspec.to_builtins(word)


def _lines(lines: list[Text], none: Text) -> Text:
    return Text(zh="\n".join(each.zh for each in lines), en="\n".join(each.en for each in lines)) if lines else none


def _party_line(party: Party) -> Text:
    kind = PARTY_KINDS[party.kind]
    return Text(zh=f"{party.id}  {party.name}（{kind.zh}）", en=f"{party.id}  {party.name} ({kind.en})")


def _system_line(system: System) -> Text:
    stage = system.stage
    return Text(zh=f"{system.id}  {system.name.zh}（{stage.zh}）", en=f"{system.id}  {system.name.en} ({stage.en})")


def _told(dossier: Dossier) -> Text:
    """Tell a dossier in a few lines."""
    return Text(**{lang: _told_in(dossier, lang) for lang in LANGS})


def _told_in(dossier: Dossier, lang: Lang) -> str:
    system = dossier.system
    people = [
        f"  {PERSON_ROLES[person.role].in_(lang)}: {person.name} ({person.since.isoformat()})"
        for person in system.people
        if person.until is None
    ]
    none = Text(zh="  尚未指定任何人员", en="  nobody is named yet").in_(lang)
    return "\n".join(
        (
            _system_line(system).in_(lang),
            system.purpose.in_(lang),
            Text(zh="人员", en="People").in_(lang),
            *(people or [none]),
            f"{Text(zh='结论', en='Outcome').in_(lang)}: {STANDINGS[dossier.standing].in_(lang)}",
            dossier.reason.as_text(lang),
        )
    )
