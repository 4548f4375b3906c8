"""Command line: `safebelt registry things|parts|versions|diff`, and `parties show|identify`."""

from datetime import date
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.registry.decide.things import as_text
from safebelt.rooms.registry.model import PARTY_KINDS
from safebelt.rooms.registry.model.differences import CHANGES, Aspect, Change, Compared
from safebelt.rooms.registry.model.identity import SCHEMES, VERIFIED, Identifier, Identify, PartyView, Scheme
from safebelt.rooms.registry.model.things import (
    RELATIONS,
    THING_KINDS,
    VERSION_STATES,
    Linked,
    LinkThing,
    ProposeVersion,
    RegisterThing,
    Relation,
    Thing,
    ThingKind,
    Version,
)
from safebelt.rooms.registry.service import Registry
from safebelt.web.terminal import DONE, NEGATIVE, Answer


def add(app: App, registry: Registry) -> None:
    """Add things, parts, versions and comparison to the group `registry`, and identity to `registry parties`."""
    app.command(_things(registry))
    app.command(_parts(registry))
    app.command(_versions(registry))
    _add_identity(app["parties"], registry)

    @app.command
    def diff(
        subject_id: str,
        *,
        from_: Annotated[str, Parameter(name="--from")] = "",
        to: str = "",
        of: Aspect | None = None,
    ) -> Answer:
        """Compare two states of a system (facts, or `--of registration`), or two versions of a model or agent.

        Exits 1 where they differ.
        """
        aspect = of or (Aspect.FACTS if subject_id.startswith("sys_") else Aspect.VERSIONS)
        found = registry.compare(subject_id, of=aspect, before=from_, after=to)
        return Answer(data=_data(found), says=_compared(found), exit_code=NEGATIVE if found.changed else DONE)


def _things(registry: Registry) -> App:
    app = App(
        name="things", help="Models, agents, components, datasets, deployments. 模型、智能体、组件、数据集、部署。"
    )

    @app.command
    def add(
        kind: ThingKind,
        name: str,
        *,
        name_en: str = "",
        about: str = "",
        owner: str = "",
        licence: str = "",
        origin: str = "",
        sha256: str = "",
        detail: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    ) -> Answer:
        """Register a thing; `--detail name=value` gives one particular, and may stand several times."""
        command = RegisterThing(
            kind=kind,
            name_zh=name,
            name_en=name_en,
            about_zh=about,
            owner_id=owner,
            licence=licence,
            origin_url=origin,
            sha256=sha256,
            details=_details(detail),
        )
        thing = registry.register_thing(command, by=OWNER)
        title = THING_KINDS[kind]
        says = Text(zh=f"已登记{title.zh} {thing.id}。", en=f"Registered the {title.en} {thing.id}.")
        return Answer(data=_data(thing), says=says)

    @app.command(name="list")
    def list_(
        *, search: str = "", kind: ThingKind | None = None, most_depended: bool = False, page: int = 1, size: int = 20
    ) -> Answer:
        """List things, newest first, or those most systems depend on first."""
        found = registry.things(search=search, kind=kind, most_depended=most_depended, page=page, size=size)
        none = Text(zh="还没有符合的部件。", en="No part matches yet.")
        return Answer(data=_data(found), says=_lines([_thing_line(each) for each in found.items], none))

    @app.command
    def show(thing_id: str) -> Answer:
        """Show a thing, and which systems depend on it."""
        thing, used = registry.thing(thing_id), registry.used_by(thing_id)
        details = [
            Text(zh=f"  {name}: {as_text(value)}", en=f"  {name}: {as_text(value)}")
            for name, value in thing.details.items()
        ]
        lines = [_thing_line(thing), *details, *(_used_line(each) for each in used.items)]
        return Answer(data={"thing": _data(thing), "used_by": _data(used)}, says=_lines(lines, _thing_line(thing)))

    return app


def _parts(registry: Registry) -> App:
    app = App(name="parts", help="How a system stands to things. 系统由什么构成。")

    @app.command(name="list")
    def list_(system_id: str) -> Answer:
        """List a system's parts: what holds first, then what ended."""
        found = registry.links(system_id)
        none = Text(zh="还没有关联任何部件。", en="No part is linked yet.")
        return Answer(data=_data(found), says=_lines([_part_line(each) for each in found], none))

    @app.command
    def link(system_id: str, relation: Relation, thing_id: str, *, since: date | None = None) -> Answer:
        """Say how a system stands to a thing."""
        made = registry.link_thing(system_id, LinkThing(thing_id=thing_id, relation=relation, since=since), by=OWNER)
        return Answer(data=_data(made), says=Text(zh=f"已关联 {made.id}。", en=f"Linked {made.id}."))

    @app.command
    def end(link_id: str, *, reason: str, until: date | None = None) -> Answer:
        """End how a system stands to a thing; it stays in the history."""
        ended = registry.unlink_thing(link_id, reason=reason, until=until, by=OWNER)
        return Answer(data=_data(ended), says=Text(zh=f"已解除关联 {ended.id}。", en=f"Ended {ended.id}."))

    return app


def _versions(registry: Registry) -> App:
    app = App(name="versions", help="Versions of systems, models, agents. 版本。")

    @app.command(name="list")
    def list_(subject_id: str) -> Answer:
        """List versions, newest first."""
        found = registry.versions(subject_id)
        none = Text(zh="还没有任何版本。", en="There is no version yet.")
        return Answer(data=_data(found), says=_lines([_version_line(each) for each in found], none))

    @app.command
    def propose(
        subject_id: str,
        label: str,
        *,
        digest: str = "",
        notes: str = "",
        made_on: date | None = None,
        made_by: str = "",
    ) -> Answer:
        """Propose a version; it becomes current only through the gate for promotions."""
        command = ProposeVersion(label=label, digest=digest, notes_zh=notes, made_on=made_on, made_by=made_by)
        version = registry.propose_version(subject_id, command, by=OWNER)
        says = Text(zh=f"已提出版本 {version.id}。", en=f"Proposed the version {version.id}.")
        return Answer(data=_data(version), says=says)

    @app.command
    def withdraw(version_id: str, *, reason: str) -> Answer:
        """Withdraw a version."""
        version = registry.withdraw_version(version_id, reason, by=OWNER)
        says = Text(zh=f"已撤下版本 {version.id}。", en=f"Withdrew the version {version.id}.")
        return Answer(data=_data(version), says=says)

    return app


def _add_identity(app: App, registry: Registry) -> None:
    @app.command
    def show(party_id: str) -> Answer:
        """Show a party with its identifiers."""
        view = registry.party_view(party_id)
        systems = registry.systems_of(party_id)
        return Answer(data=_data(view) | {"systems": list(systems)}, says=_party_told(view, systems))

    @app.command
    def identify(party_id: str, scheme: Scheme, value: str, *, named: str = "", source: str = "") -> Answer:
        """Enter an identifier of a party; a right check digit says well-formed, never verified."""
        command = Identify(scheme=scheme, value=value, named=named, source=source)
        found = registry.identify(party_id, command, by=OWNER)
        return Answer(data=_data(found), says=_identifier_line(found))


def _details(given: tuple[str, ...]) -> dict[str, str | float | tuple[str, ...]]:
    """Read `name=value`; a name that comes again adds a line to its list."""
    found: dict[str, str | float | tuple[str, ...]] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals:
            raise Invalid(
                what=Text(zh=f"“{each}”不是 名称=值。", en=f"{each!r} is not name=value."),
                hint=Text(zh="例如 --detail environment=pilot", en="For example --detail environment=pilot"),
            )
        found[name] = f"{found[name]}\n{value}" if name in found else value
    return found


def _data(word: Any) -> Any:
    return msgspec.to_builtins(word)


def _lines(lines: list[Text], none: Text) -> Text:
    return Text(zh="\n".join(each.zh for each in lines), en="\n".join(each.en for each in lines)) if lines else none


def _thing_line(thing: Thing) -> Text:
    kind = THING_KINDS[thing.kind]
    return Text(
        zh=f"{thing.id}  {thing.name.zh}（{kind.zh}，{thing.dependents} 个系统依赖）",
        en=f"{thing.id}  {thing.name.en} ({kind.en}, {thing.dependents} depending)",
    )


def _used_line(each: Linked) -> Text:
    ended = f" – {each.link.until.isoformat()}" if each.link.until else ""
    return Text(
        zh=f"  {each.link.system_id}  {each.system_name.zh}：{RELATIONS[each.link.relation].zh}{ended}",
        en=f"  {each.link.system_id}  {each.system_name.en}: {RELATIONS[each.link.relation].en}{ended}",
    )


def _part_line(each: Linked) -> Text:
    ended = f" – {each.link.until.isoformat()}" if each.link.until else ""
    return Text(
        zh=f"{each.link.id}  {RELATIONS[each.link.relation].zh} {each.thing_name.zh}（{each.link.thing_id}）{ended}",
        en=f"{each.link.id}  {RELATIONS[each.link.relation].en} {each.thing_name.en} ({each.link.thing_id}){ended}",
    )


def _version_line(version: Version) -> Text:
    state = VERSION_STATES[version.state]
    return Text(
        zh=f"{version.id}  {version.label}（{state.zh}）{version.notes.zh}",
        en=f"{version.id}  {version.label} ({state.en}) {version.notes.en}",
    )


def _identifier_line(one: Identifier) -> Text:
    scheme, verified = SCHEMES[one.scheme], VERIFIED[one.verified]
    named = f" {one.named}" if one.named else ""
    return Text(
        zh=f"{scheme.zh}{named} {one.value}：{verified.zh}", en=f"{scheme.en}{named} {one.value}: {verified.en}"
    )


def _party_told(view: PartyView, systems: tuple[str, ...]) -> Text:
    kind = PARTY_KINDS[view.party.kind]
    head = Text(
        zh=f"{view.party.id}  {view.party.name}（{kind.zh}）", en=f"{view.party.id}  {view.party.name} ({kind.en})"
    )
    none = Text(zh="还没有登记任何编号", en="no identifier yet")
    count = Text(zh=f"提供或部署 {len(systems)} 个系统", en=f"provides or deploys {len(systems)} system(s)")
    return _lines([head, *([_identifier_line(each) for each in view.identifiers] or [none]), count], head)


def _compared(found: Compared) -> Text:
    return Text(**{lang: _compared_in(found, lang) for lang in LANGS})


def _compared_in(found: Compared, lang: Lang) -> str:
    signs = {Change.CHANGED: "~", Change.ADDED: "+", Change.REMOVED: "-"}
    lines = [
        f"{signs[one.change]} {one.field} ({CHANGES[one.change].in_(lang)}): {one.before or '—'} → {one.after or '—'}"
        for one in found.fields
        if one.change is not Change.SAME
    ]
    none = Text(zh="没有差异。", en="Nothing differs.").in_(lang)
    return "\n".join((f"{found.before} → {found.after}", *(lines or [none])))
