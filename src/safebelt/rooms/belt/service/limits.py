"""A person's order that bounds traffic: so many exchanges a minute, so many at once, and no more."""

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.belt import store
from safebelt.rooms.belt.control.switch import key_of
from safebelt.rooms.belt.model import Command, Matter, Order, OrderTerms, Scope, scope_of
from safebelt.rooms.belt.service.holding import Wanted
from safebelt.rooms.belt.service.meant import cleaned
from safebelt.rooms.belt.service.stops import StopOrders

MOST_PER_MINUTE = 10_000_000
"""More than a belt can serve: a slip of a few zeros is told."""
MOST_AT_ONCE = 1_000_000
MAX_BASIS_CHARS = 200


class LimitOrders(StopOrders):
    """Limits, and their lifting.  They are given, remembered and proven as stops are."""

    def limit(self, target: str, terms: OrderTerms, reason: str, by: Actor) -> Order:
        """Order that so much may pass and no more, for a system, a model, a tool, a key, or (empty) all.

        A limit stands beside stops and lifts none.  A newer one takes its place; one that lets more pass than the
        older takes the right to resume.

        Raises:
            Invalid: No reason is given, or the numbers make no limit; nothing was ordered.
            Conflict: It takes two people; or it would let more pass, and whoever orders may not lift what stands;
                nothing was ordered.
            NotFound: The register knows no such system; the order holds for that id nevertheless.
        """
        return self._give_alone(self.to_limit(target, terms, by), reason, by)

    def to_limit(self, target: str, terms: OrderTerms, by: Actor) -> Wanted:
        """Return a limit as it would be given; raises as `limit`."""
        target = cleaned(target)
        terms = _checked(target, terms)
        standing = self._stands(target, Matter.LIMIT)
        eases = standing is not None and not terms.is_within(standing)
        if eases:
            self._must_lift(target, by)
        return Wanted(command=Command.LIMIT, target=target, terms=terms, eases=eases)

    def unlimit(self, target: str, reason: str, by: Actor) -> Order:
        """Lift the limit that this house ordered for a system, a model, a tool, a key, or (empty) all.

        Raises:
            Invalid: No reason is given; nothing was ordered.
            NotFound: The register knows no such system; the order holds for that id nevertheless.
        """
        return self._give_alone(Wanted(command=Command.UNLIMIT, target=target), reason, by)

    def _stands(self, target: str, matter: Matter) -> OrderTerms | None:
        """Return the terms of this house's order of a matter that stands, or is on its way."""
        kept = self._t.box.state().orders.get(key_of(target, matter=matter))
        found = kept.terms if kept else None
        for order in self._t.box.waiting():
            if order.system_id == target and order.command.matter is matter and not order.layer:
                found = None if order.command.lifts else order.terms
        return found

    def _must_lift(self, target: str, by: Actor) -> None:
        """Refuse whoever may not lift what stands, and orders what lets more pass.

        Raises:
            Conflict: They may not.
        """
        if not self._t.access.may(by, "belt.resume", target):
            raise Conflict(
                what=Text(
                    zh="此命令会放宽或改变现行命令，而这须有恢复运行的权限。没有下达命令。",
                    en="This would ease or change the order that stands, which takes the right to resume.",
                ),
                hint=Text(
                    zh="请由监督员放宽、改变或解除。", en="Nothing was ordered. Ask an overseer to ease or lift it."
                ),
            )


def _checked(target: str, terms: OrderTerms) -> OrderTerms:
    """Return terms that make a limit.

    Raises:
        Invalid: They do not.
    """
    for field, option, number, most in (
        ("per_minute", "--per-minute", terms.per_minute, MOST_PER_MINUTE),
        ("at_once", "--at-once", terms.at_once, MOST_AT_ONCE),
    ):
        if not 0 <= number <= most:
            raise _no_limit(
                field,
                Text(
                    zh=f"{option}（{field}）须为 0 至 {most:,} 的整数，0 为不限。",
                    en=f"{option} ({field}) takes a whole number from 0, for any, to {most:,}.",
                ),
            )
    if not (terms.per_minute or terms.at_once):
        raise _no_limit("per_minute", Text(zh="请写明每分钟或同时的上限。", en="Say how many a minute, or at once."))
    if terms.at_once and scope_of(target) is Scope.TOOL:
        raise _no_limit(
            "at_once", Text(zh="工具只能限制每分钟的次数。", en="A tool is limited by calls a minute only.")
        )
    return OrderTerms(
        per_minute=terms.per_minute, at_once=terms.at_once, basis=store.clean(terms.basis).strip()[:MAX_BASIS_CHARS]
    )


def _no_limit(field: str, what: Text) -> Invalid:
    return Invalid(
        what=what,
        hint=Text(
            zh="至少给出一个正整数；要一次也不放行，请下达停止命令。",
            en="Nothing was ordered. Give one positive number at least; to let nothing pass, order a stop.",
        ),
        details={"field": field},
    )
