"""Orders that are acts of two people, where somebody asked for it (ADR 0016).

The rules lie in the database; what they come to also lies in a file beside the orders, because an order must be given,
and a stop file judged, while the database does not answer.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import msgspec
import sqlalchemy as sa

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict
from safebelt.kernel.text import Text
from safebelt.rooms.access.model import Proposal, Propose
from safebelt.rooms.belt.control.in_force import RUNNING
from safebelt.rooms.belt.control.switch import key_of
from safebelt.rooms.belt.decide.two_people import needs_two
from safebelt.rooms.belt.model import ONE_PERSON, Command, Order, OrderTerms, TwoPeople, TwoPeopleSet, named
from safebelt.rooms.belt.service.base import REASON, given, missing
from safebelt.rooms.belt.service.commanding import EVERYTHING
from safebelt.rooms.belt.service.holding import Wanted
from safebelt.rooms.belt.service.meant import cleaned
from safebelt.rooms.belt.service.versions import VersionOrders
from safebelt.rooms.belt.store.two_people import put_rule, rules

_ORDER, _RULE = "order", "rule"
_ACTIONS = ("belt.stop", "belt.resume")
_UNSAID = ("basis", "upstream")
"""Terms that the line about a proposal leaves out: long, or an address; the order's page shows them."""


class TwoPersonOrders(VersionOrders):
    """Orders, and their lifting, by two people; and the rules that ask for it."""

    # ------------------------------------------------------------------ ordering

    def _give_alone(self, wanted: Wanted, reason: str, by: Actor) -> Order:
        """Give what one person may give.

        Raises:
            Conflict: It takes two people; nothing was ordered.
        """
        if self._takes_two(wanted):
            raise Conflict(
                what=Text(
                    zh="此命令须由两人作出。没有下达命令。", en="This order takes two people. Nothing was ordered."
                ),
                hint=Text(
                    zh="请提出此命令，由另一人同意；要立即停止，停止文件始终有效。",
                    en="Propose it, and let another person second it; to stop at once, the stop file always works.",
                ),
            )
        return super()._give_alone(wanted, reason, by)

    def takes_two(self, command: Command, target: str) -> bool:
        """Whether an order without terms takes two people; asks no database."""
        return self._takes_two(Wanted(command=command, target=target))

    def _takes_two(self, wanted: Wanted) -> bool:
        target, command = cleaned(wanted.target), wanted.command
        standing = self._t.box.state().orders.get(key_of(target), RUNNING).command
        return needs_two(self._t.box.two_people(), command, target, standing, eases=wanted.eases)

    def ask(self, wanted: Wanted, reason: str, by: Actor) -> Order | Proposal:
        """Order as one person may, or propose it where it takes two.

        Raises:
            Invalid, NotFound: As for `order`, `limit` and `roll_back`.
            Refused: Whoever proposes has no right to the order.
        """
        return self.propose(wanted, reason, by) if self._takes_two(wanted) else super()._give_alone(wanted, reason, by)

    def propose_order(self, command: Command, target: str, reason: str, by: Actor) -> Proposal:
        """Propose an order without terms, as `propose`."""
        return self.propose(Wanted(command=command, target=target), reason, by)

    def propose(self, wanted: Wanted, reason: str, by: Actor) -> Proposal:
        """Propose an order; it is given when a second person agrees.

        Raises:
            Invalid: No reason is given, or this is no id.
            Refused: Whoever proposes has no right to the order.
        """
        reason, command = given(reason, field="reason", what=REASON), wanted.command
        target = named(cleaned(wanted.target))
        of, terms = target or "*", {name: value for name, value in asdict(wanted.terms).items() if value}
        said = "".join(f" {name}={value}" for name, value in terms.items() if name not in _UNSAID)
        return self._propose(
            {"kind": _ORDER, "command": command.value, "target": target, "terms": terms},
            Text(zh=f"下达命令 {command.value}，对象 {of}{said}", en=f"Order {command.value} for {of}{said}"),
            reason,
            by,
            action="belt.resume" if command.lifts or wanted.eases else "belt.stop",
        )

    def second_order(self, proposal_id: str, *, answer: str, by: Actor) -> Order | None:
        """Second an order, or a laxer rule, that another person proposed: it is given, or set.

        Raises:
            NotFound, Refused, Conflict, Invalid: As for `Access.second`.
        """
        proposal = self.proposed_order(proposal_id)
        made: Order | None = None
        with self._t.sql.begin() as tx:
            self._t.access.second(tx, proposal_id, action=proposal.action, answer=answer, by=by)
            if proposal.content["kind"] == _RULE:
                rule = TwoPeople(lifting=bool(proposal.content["lifting"]), placing=bool(proposal.content["placing"]))
                self._put(tx, str(proposal.content["target"]), rule, by, (proposal.reason, proposal.id))
            else:
                made = self._made(proposal, by)
                self._insert_order(tx, made, by)
                self._t.box.give(made)  # last: where it cannot be written, nobody's word is spent
        self.keep_two_people()
        return made

    def proposed_order(self, proposal_id: str) -> Proposal:
        """Return an order, or a rule, that waits for a second person, or what came of it.

        Raises:
            NotFound: There is no such act.
        """
        proposal = self._t.access.proposal(proposal_id)
        if proposal.action not in _ACTIONS or proposal.content.get("kind") not in (_ORDER, _RULE):
            raise missing(
                Text(zh="待第二人同意的命令", en="order that waits for a second person"),
                proposal_id,
                Text(zh="请查看双人事项。", en="See the acts that need two people."),
            )
        return proposal

    def proposed_orders(self) -> list[Proposal]:
        """Return the orders and rules that were proposed, latest first."""
        found = self._t.access.proposals(actions=_ACTIONS)
        return [each for each in found if each.content.get("kind") in (_ORDER, _RULE)]

    def _made(self, proposal: Proposal, by: Actor) -> Order:
        return Order(
            id=self._t.new_id("ord"),
            command=Command(proposal.content["command"]),
            system_id=str(proposal.content["target"]),
            at=self._t.clock(),
            by=by.id,
            reason=f"{proposal.reason} ({proposal.id}, {proposal.by})",
            terms=msgspec.convert(dict(proposal.content.get("terms", {})), OrderTerms),
        )

    def _propose(self, content: Mapping[str, Any], says: Text, reason: str, by: Actor, *, action: str) -> Proposal:
        subject = str(content["target"]) or EVERYTHING
        asked = Propose(action=action, subject=subject, says=says, content=content, reason=reason, where="/belt/stop")
        return self._t.access.propose(asked, by=by)

    # ------------------------------------------------------------------ rules

    def two_people(self) -> dict[str, TwoPeople]:
        """Return which orders take two people, by system; empty for all."""
        with self._t.sql.read() as tx:
            return rules(tx)

    def require_two(self, target: str, rule: TwoPeople, reason: str, by: Actor) -> Proposal | None:
        """Set which orders for a system, or (empty) for all, take two people; laxer only by two people themselves.

        Returns:
            What waits for a second person; None where it is set.

        Raises:
            Invalid: No reason is given.
            NotFound: There is no such system.
            Refused: Whoever asks may not let systems run again.
        """
        reason = given(reason, field="reason", what=REASON)
        target = cleaned(target)
        if target:
            self._t.registry.system(target)
        self._t.access.authorize(by, "belt.resume", target)
        known = self.two_people()
        old = known.get(target, known.get("", ONE_PERSON))
        if not rule.is_no_laxer(old):
            content = {"kind": _RULE, "target": target, "lifting": rule.lifting, "placing": rule.placing}
            of = target or "*"
            says = Text(
                zh=f"双人规则，对象 {of}：解除{_many(rule.lifting).zh}，下令{_many(rule.placing).zh}",
                en=f"Rule for {of}: lifting takes {_many(rule.lifting).en}, ordering {_many(rule.placing).en}",
            )
            return self._propose(content, says, reason, by, action="belt.resume")
        with self._t.sql.begin() as tx:
            self._put(tx, target, rule, by, (reason, ""))
        self.keep_two_people()
        return None

    def _put(self, tx: sa.Connection, target: str, rule: TwoPeople, by: Actor, why: tuple[str, str]) -> None:
        put_rule(tx, target, rule)
        reason, proposal = why
        event = TwoPeopleSet(
            subject=target or EVERYTHING, lifting=rule.lifting, placing=rule.placing, proposal=proposal, reason=reason
        )
        self._t.ledger.append(tx, event, by=by)

    def keep_two_people(self) -> int:
        """Lay the rules beside the orders, where whoever obeys finds them; return whether they had changed."""
        known = self.two_people()
        if known == self._t.box.two_people():
            return 0
        self._t.box.keep_two_people(known)
        return 1


def _many(is_two: bool) -> Text:
    return Text(zh="须两人", en="two people") if is_two else Text(zh="一人即可", en="one person")
