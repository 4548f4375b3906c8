"""A person's order that bounds traffic: so many exchanges a minute, so many at once, and no more."""

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.belt import store
from safebelt.rooms.belt.model import Command, Matter, Order, OrderTerms, Scope, scope_of
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
            Conflict: It would let more pass, and whoever orders may not lift what stands; nothing was ordered.
            NotFound: The register knows no such system; the order holds for that id nevertheless.
        """
        target = store.clean(target).strip()[:80]
        terms = _checked(target, terms)
        standing = self._standing(target)
        is_easier = standing is not None and not terms.is_within(standing)
        if is_easier and not self._t.access.may(by, "belt.resume", target):
            raise Conflict(
                what=Text(
                    zh="此命令比现行限流更宽，而放宽须有恢复运行的权限。没有下达命令。",
                    en="This lets more pass than the limit that stands, and easing it takes the right to resume.",
                ),
                hint=Text(zh="请由监督员放宽或解除。", en="Nothing was ordered. Ask an overseer to ease or lift it."),
            )
        return self._give(Command.LIMIT, target, reason, by, terms)

    def unlimit(self, target: str, reason: str, by: Actor) -> Order:
        """Lift the limit that this house ordered for a system, a model, a tool, a key, or (empty) all.

        Raises:
            Invalid: No reason is given; nothing was ordered.
            NotFound: The register knows no such system; the order holds for that id nevertheless.
        """
        return self._give(Command.UNLIMIT, target, reason, by)

    def _standing(self, target: str) -> OrderTerms | None:
        """Return the limit of this house that stands, or is on its way."""
        found = next((each.terms for each in self.state().limits if each.target == target and not each.layer), None)
        for order in self._t.box.waiting():
            if order.system_id == target and order.command.matter is Matter.LIMIT and not order.layer:
                found = order.terms if order.command is Command.LIMIT else None
        return found


def _checked(target: str, terms: OrderTerms) -> OrderTerms:
    """Return terms that make a limit.

    Raises:
        Invalid: They do not.
    """
    if not (0 <= terms.per_minute <= MOST_PER_MINUTE and 0 <= terms.at_once <= MOST_AT_ONCE):
        raise _no_limit("per_minute", Text(zh="数目超出范围。", en="A number is out of range."))
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
