"""Deciding about the law: covenants, drafts, overrides, reviews."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER
from safebelt.kernel.text import Text
from safebelt.rooms.access.model import Proposal
from safebelt.rooms.rulebook.cli import telling
from safebelt.rooms.rulebook.model.deeds import OPINIONS, Opinion, ProposeOverride, ReviewNorm
from safebelt.rooms.rulebook.service import Rules
from safebelt.web.terminal import Answer, read_text


def add(app: App, rules: Rules) -> None:
    """Add the groups `covenants`, `drafts`, `overrides` and `reviews`."""
    app.command(_covenants(rules))
    app.command(_drafts(rules))
    app.command(_overrides(rules))
    app.command(_reviews(rules))


def _covenants(rules: Rules) -> App:
    app = App(name="covenants", help="Voluntary commitments that bind a party. 自愿公约。")

    @app.command
    def adopt(party: str, covenant: str) -> Answer:
        """Bind PARTY (pty_…) by COVENANT from today."""
        made = rules.adopt_covenant(party, covenant, by=OWNER)
        says = Text(
            zh=f"{party} 自 {made.since} 起受 {covenant} 约束。", en=f"{covenant} binds {party} since {made.since}."
        )
        return Answer(data=_data(made), says=says)

    @app.command
    def leave(party: str, covenant: str, *, reason: str) -> Answer:
        """End the commitment of PARTY to COVENANT today."""
        rules.leave_covenant(party, covenant, reason=reason, by=OWNER)
        says = Text(zh=f"{party} 不再受 {covenant} 约束。", en=f"{covenant} binds {party} no longer.")
        return Answer(data={"party": party, "covenant": covenant}, says=says)

    @app.command(name="list")
    def list_(*, party: str = "") -> Answer:
        """List who is bound by what."""
        found = rules.commitments(party=party)
        lines = "\n".join(f"{one.party}  {one.covenant}  {one.since} – {one.until or ''}" for one in found)
        none = Text(zh="还没有主体采纳公约。", en="No party has adopted a covenant yet.")
        return Answer(data=_data(found), says=Text(zh=lines or none.zh, en=lines or none.en))

    return app


def _drafts(rules: Rules) -> App:
    app = App(name="drafts", help="Drafts: two people adopt one before it judges. 草案：两人通过后才生效。")

    @app.command
    def propose(file: Path, *, reason: str) -> Answer:
        """Propose that the overlay in FILE be adopted."""
        return _proposed(rules.propose_draft(read_text(file), reason=reason, by=OWNER))

    @app.command
    def second(proposal: str, *, reason: str) -> Answer:
        """Second PROPOSAL (prp_…), which another person made: the draft judges from its day."""
        made = rules.adopt_draft(proposal, answer=reason, by=OWNER)
        return Answer(data=_data(made), says=Text(zh=f"已通过 {made.overlay}。", en=f"Adopted {made.overlay}."))

    @app.command(name="list")
    def list_() -> Answer:
        """List the drafts that two people adopted here; exit 1 where one fits the law no more and so does not judge."""
        found, unfit = rules.adoptions(), rules.unfit()
        lines = "\n".join(f"{one.overlay}  {one.at:%Y-%m-%d}  {one.sha256[:16]}" for one in found)
        none = Text(zh="还没有通过任何草案。", en="No draft has been adopted here.")
        wrong = Text(
            zh="".join(f"\n未参与判断：{one.adoption.overlay}：{one.why.zh}" for one in unfit),
            en="".join(f"\nDoes not judge: {one.adoption.overlay}: {one.why.en}" for one in unfit),
        )
        says = Text(zh=(lines or none.zh) + wrong.zh, en=(lines or none.en) + wrong.en)
        return Answer(data=_data(found), says=says, exit_code=1 if unfit else 0)

    return app


def _overrides(rules: Rules) -> App:
    app = App(name="overrides", help="Exceptions to red lines: two people, a reason, a last day. 红线例外。")

    @app.command
    def propose(
        system: str, *, norm: Annotated[tuple[str, ...], Parameter(negative="")], until: date, reason: str
    ) -> Answer:
        """Propose that red lines be set aside for SYSTEM until a day."""
        cmd = ProposeOverride(norms=norm, until=until, reason=reason)
        return _proposed(rules.propose_override(system, cmd, by=OWNER))

    @app.command
    def second(proposal: str, *, reason: str) -> Answer:
        """Second PROPOSAL (prp_…), which another person made."""
        made = rules.override(proposal, answer=reason, by=OWNER)
        says = Text(zh=f"例外至 {made.until}。", en=f"Set aside until {made.until}.")
        return Answer(data=_data(made), says=says)

    @app.command(name="list")
    def list_(*, system: str = "") -> Answer:
        """List overrides, latest first."""
        found = rules.overrides(system)
        lines = "\n".join(f"{one.id}  {one.system}  {', '.join(one.norms)}  → {one.until}" for one in found)
        none = Text(zh="没有红线例外。", en="No red line was ever set aside.")
        return Answer(data=_data(found), says=Text(zh=lines or none.zh, en=lines or none.en))

    return app


def _reviews(rules: Rules) -> App:
    app = App(name="reviews", help="Who read which interpretation beside the law. 解释的复核。")

    @app.command
    def add(norm: str, opinion: Opinion, *, note: str) -> Answer:
        """Review how NORM was put into this form: agrees or disagrees."""
        made = rules.review(norm, ReviewNorm(opinion=opinion, note=note), by=OWNER)
        return Answer(data=_data(made), says=OPINIONS[made.opinion])

    @app.command(name="list")
    def list_(*, norm: str = "") -> Answer:
        """List reviews, latest first."""
        found = rules.reviews(norm)
        none = Text(zh="还没有复核。", en="Nothing has been reviewed yet.")
        lines = telling.in_both(
            lambda lang: "\n".join(
                f"{one.norm}  {one.by}  {OPINIONS[one.opinion].in_(lang)}  {one.note}" for one in found
            )
        )
        return Answer(data=_data(found), says=lines if found else none)

    return app


def _proposed(proposal: Proposal) -> Answer:
    says = Text(
        zh=f"已提出 {proposal.id}，须由另一人同意（有效至 {proposal.expires_at:%Y-%m-%d}）。",
        en=f"Proposed as {proposal.id}; another person must second it by {proposal.expires_at:%Y-%m-%d}.",
    )
    return Answer(data=_data(proposal), says=says)


def _data(word: Any) -> Any:
    return msgspec.to_builtins(word)
