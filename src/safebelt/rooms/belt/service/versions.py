"""A person's order that sends what comes to an earlier version, and the way forward again."""

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.belt import store
from safebelt.rooms.belt.model import Command, Earlier, Matter, Order, OrderTerms, Scope, scope_of
from safebelt.rooms.belt.service.holding import Wanted
from safebelt.rooms.belt.service.limits import LimitOrders
from safebelt.rooms.belt.service.meant import cleaned

_MODEL = f"{Scope.MODEL.value}:"


class VersionOrders(LimitOrders):
    """Roll-backs, and their undoing.  They are given, remembered and proven as stops are."""

    def earlier(self) -> tuple[Earlier, ...]:
        """Return the versions that the settings name."""
        return self._t.earlier

    def roll_back(self, target: str, to: str, reason: str, by: Actor, *, ends_running: bool = False) -> Order:
        """Order that what comes goes to an earlier version, for a system, a model, a key, or (empty) all.

        Args:
            target: What it is for.
            to: Name of a version of the settings; or `model:…`, asked of the ordinary upstream; empty for the one
                that the settings name for this system.
            reason: Why.
            by: Who orders.
            ends_running: Whether answers that run are cut; else they may end where they began.

        Raises:
            Invalid: No reason is given, or there is no such version for it; nothing was ordered.
            Conflict: It takes two people; or another roll-back stands, and whoever orders may not lift it; nothing
                was ordered.
            NotFound: The register knows no such system; the order holds for that id nevertheless.
        """
        return self._give_alone(self.to_roll_back(target, to, by, ends_running=ends_running), reason, by)

    def to_roll_back(self, target: str, to: str, by: Actor, *, ends_running: bool = False) -> Wanted:
        """Return a roll-back as it would be given; raises as `roll_back`."""
        target = cleaned(target)
        if scope_of(target) is Scope.TOOL:
            raise _no_version(Text(zh="工具没有版本。", en="A tool has no version here."), self._t.earlier)
        found = self._found(target, store.clean(to).strip())
        terms = OrderTerms(to=found.name, model=found.model, upstream=found.upstream, ends_running=ends_running)
        standing = self._stands(target, Matter.VERSION)
        eases = standing is not None and (standing.to, standing.model) != (terms.to, terms.model)
        if eases:
            self._must_lift(target, by)
        return Wanted(command=Command.ROLL_BACK, target=target, terms=terms, eases=eases)

    def forward(self, target: str, reason: str, by: Actor) -> Order:
        """Undo the roll-back that this house ordered for a system, a model, a key, or (empty) all.

        Raises:
            Invalid: No reason is given; nothing was ordered.
            NotFound: The register knows no such system; the order holds for that id nevertheless.
        """
        return self._give_alone(Wanted(command=Command.FORWARD, target=target), reason, by)

    def _found(self, target: str, to: str) -> Earlier:
        if to.startswith(_MODEL) and to.removeprefix(_MODEL).strip():
            return Earlier(name="", model=to.removeprefix(_MODEL).strip()[:200])
        may = [each for each in self._t.earlier if not each.systems or target in each.systems]
        found = [each for each in may if each.name == to] if to else [each for each in may if target in each.systems]
        if len(found) != 1:
            what = (
                Text(zh=f"此对象没有名为“{to[:80]}”的较早版本。", en=f"There is no earlier version “{to[:80]}” for it.")
                if to
                else Text(zh="请写明回退到哪一个版本。", en="Say to which version.")
            )
            raise _no_version(what, tuple(may))
        return found[0]


def _no_version(what: Text, may: tuple[Earlier, ...]) -> Invalid:
    names = ", ".join(each.name for each in may)
    nothing = "SAFEBELT_EARLIER_VERSIONS"
    return Invalid(
        what=what,
        hint=Text(
            zh=f"没有下达命令。可用的版本：{names or f'无（见 {nothing}）'}；或写 model:<模型名称>。",
            en=f"Nothing was ordered. There are: {names or f'none (see {nothing})'}; or model:<name>.",
        ),
        details={"field": "to"},
    )
