"""Command line for gates, evidence and sign-offs, and for entering a described system in one step."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.registry.cli.register import dossier_answer
from safebelt.rooms.registry.model import STATUSES, Status
from safebelt.rooms.registry.model.lifecycle import Attest, Evidence, Issuer, Move, SignGate, VouchFor, Withdraw
from safebelt.rooms.registry.model.road import Gate
from safebelt.rooms.registry.service import Registry
from safebelt.web.terminal import DONE, NEGATIVE, NOT_EVALUATED, Answer, read_text

_EXITS = {Truth.TRUE: DONE, Truth.FALSE: NEGATIVE, Truth.UNKNOWN: NOT_EVALUATED}
Where = Annotated[Status | None, Parameter(help="The stage behind the gate; the next one, if none is given.")]


def add(app: App, registry: Registry) -> None:
    """Add this piece's commands to the group `registry`."""
    _entering(app, registry)
    _gates(app, registry)
    _evidence(app, registry)
    _signing(app, registry)


def _entering(app: App, registry: Registry) -> None:
    @app.command
    def register(
        file: Path,
        *,
        provider: str,
        deployer: str = "",
        purpose_zh: str = "",
        purpose_en: str = "",
    ) -> Answer:
        """Register the AI system described in FILE (a descriptor, YAML or JSON) and put its facts on record.

        It enters as an idea; `gate` leads on.  Exits 1 where a red line bars it from service.
        """
        system = registry.register_described(
            read_text(file), provider_id=provider, deployer_id=deployer, purpose=(purpose_zh, purpose_en), by=OWNER
        )
        barred = registry.barred_by(system.id)
        bars = Text(zh=f"触及红线：{'、'.join(barred)}。", en=f" Red lines met: {', '.join(barred)}.")
        says = Text(
            zh=f"已登记系统 {system.id}，事实已记录。{bars.zh if barred else ''}",
            en=f"Registered the system {system.id}; its facts are on record.{bars.en if barred else ''}",
        )
        data = {"system": _data(system), "barred_by": list(barred)}
        return Answer(data=data, says=says, exit_code=NEGATIVE if barred else DONE)

    @app.command
    def show(system_id: str) -> Answer:
        """Show a system's dossier, as `systems show` does; exits 1 where it is incomplete, 3 while not evaluated."""
        return dossier_answer(registry, system_id)


def _gates(app: App, registry: Registry) -> None:
    @app.command
    def gate(
        system_id: str,
        *,
        to: Where = None,
        pass_: Annotated[bool, Parameter(name="--pass", negative="", help="Pass it, if it may be passed.")] = False,
        reason: Annotated[str, Parameter(help="Why; needed to pass.")] = "",
    ) -> Answer:
        """Say what the gates on the way to a stage ask, and pass them.

        A move back or down (suspended, withdrawn, retired) asks for no gate, and needs a reason.
        Exits 0 if it may pass or passed, 1 if something is missing, 3 if it is not evaluated.
        """
        if pass_ and to is not None and to not in registry.road.order[1:]:
            return _moved(registry, system_id, to, reason)
        found = registry.gate(system_id, to)
        if pass_ and (found.holds is Truth.TRUE or not registry.leads_on(found)):
            return _moved(registry, system_id, found.to, reason)
        return Answer(data=_data(found), says=_told(found), exit_code=_EXITS[found.holds])


def _moved(registry: Registry, system_id: str, to: Status, reason: str) -> Answer:
    system = registry.move(system_id, Move(to=to, reason=reason), by=OWNER)
    title = STATUSES[system.status]
    more = Text(zh="（暂行：部分证据只有自我声明）", en=" (provisional: some evidence is only claimed)")
    says = Text(
        zh=f"已进入“{title.zh}”{more.zh if system.provisional else ''}。",
        en=f"The system is at “{title.en}” now{more.en if system.provisional else ''}.",
    )
    return Answer(data=_data(system), says=says)


def _evidence(app: App, registry: Registry) -> None:
    @app.command
    def attest(
        system_id: str,
        kind: str,
        *,
        statement: str,
        person: Annotated[str, Parameter(help="Who attests: a person named for the system (per_…).")],
        until: Annotated[date, Parameter(help="The last day on which it counts, at most 366 days ahead.")],
        digest: Annotated[str, Parameter(help="SHA-256 of the document.")] = "",
    ) -> Answer:
        """State that evidence of KIND is there for a system: signed, dated, expiring; claimed until others vouch."""
        cmd = Attest(kind=kind, statement=statement, person_id=person, expires_on=until, digest=digest)
        return _evidence_answer(registry.attest(system_id, cmd, by=OWNER))

    @app.command
    def vouch(
        evidence_id: str,
        *,
        statement: str,
        issuer: Annotated[Issuer, Parameter(help="Whose paper it is: association, assessor or authority.")],
    ) -> Answer:
        """Record that an association, assessor or authority stands for evidence somebody else attested."""
        return _evidence_answer(registry.vouch(evidence_id, VouchFor(statement=statement, issuer=issuer), by=OWNER))

    @app.command
    def withdraw(evidence_id: str, *, reason: str) -> Answer:
        """Take evidence back; from now on it does not count."""
        return _evidence_answer(registry.withdraw(evidence_id, Withdraw(reason=reason), by=OWNER))

    @app.command
    def evidence(system_id: str) -> Answer:
        """List a system's evidence, latest first, and what expired or expires soon; exits 1 where something has."""
        found, ending = registry.life(system_id).evidence, registry.expiring(system_id=system_id)
        soon = Text(zh=f"已到期或即将到期：{len(ending)} 份", en=f"Expired or expiring soon: {len(ending)}")
        none = Text(zh="还没有证据。", en="There is no evidence yet.")
        lines = "\n".join(_line(one, "zh") for one in found), "\n".join(_line(one, "en") for one in found)
        says = Text(zh=f"{lines[0]}\n{soon.zh}", en=f"{lines[1]}\n{soon.en}") if found else none
        return Answer(data=_data(found), says=says, exit_code=NEGATIVE if ending else DONE)


def _signing(app: App, registry: Registry) -> None:
    @app.command(name="sign-off")
    def sign_off(
        system_id: str,
        *,
        person: Annotated[str, Parameter(help="Who signs: the accountable person (per_…).")],
        to: Annotated[Status, Parameter(help="The stage behind the gate.")] = Status.IN_SERVICE,
        statement: str = "",
    ) -> Answer:
        """Sign off a gate under the facts as they are; the signature lapses when they change."""
        made = registry.sign_off(system_id, SignGate(to=to, person_id=person, statement=statement), by=OWNER)
        says = Text(
            zh=f"已签署 {made.id}（事实第 {made.facts_version} 版）。",
            en=f"Signed off as {made.id}, under version {made.facts_version} of the facts.",
        )
        return Answer(data=_data(made), says=says)


def _evidence_answer(word: Evidence) -> Answer:
    return Answer(data=_data(word), says=Text(zh=_line(word, "zh"), en=_line(word, "en")))


def _line(word: Evidence, lang: Lang) -> str:
    stands = Text(zh="自我声明", en="claimed") if word.is_claimed else Text(zh="他方确认", en="vouched for")
    if word.withdrawn_at is not None:
        stands = Text(zh="已撤回", en="withdrawn")
    return f"{word.id}  {word.kind}  {stands.in_(lang)}  → {word.expires_on.isoformat()}"


def _told(found: Gate) -> Text:
    return Text(**{lang: _told_in(found, lang) for lang in LANGS})


def _told_in(found: Gate, lang: Lang) -> str:
    lines = [found.reason.says.in_(lang)]
    lines += [f"- {one.what.in_(lang)} {one.todo.in_(lang)}" for one in found.missing]
    lines += [f"{found.provisional_why.says.in_(lang)}", found.reason.as_text(lang)]
    if found.advice:
        advice = Text(zh="未核实、仅供参考的规则", en="Norms that are not verified; they only inform").in_(lang)
        lines.append(f"{advice}: {', '.join(found.advice)}")
    return "\n".join(lines)


def _data(word: Any) -> Any:
    return msgspec.to_builtins(word)
