"""Commands for orders that take two people."""

from typing import Annotated, Any

from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER
from safebelt.kernel.text import Text
from safebelt.rooms.access.model import Proposal
from safebelt.rooms.belt.cli.stopping import proposed, told
from safebelt.rooms.belt.cli.words import Reason, System, listed
from safebelt.rooms.belt.model import TwoPeople
from safebelt.rooms.belt.service import Belt
from safebelt.web.terminal import Answer

Lifting = Annotated[
    bool, Parameter(help="Letting it run again, easing or lifting a limit, and going forward take two.")
]
Placing = Annotated[bool, Parameter(help="Stopping, limiting and rolling back take two; the stop file still stops.")]


def add_to(app: App, belt: Belt) -> None:
    """Add `two-people`, `require-two` and `second-order`."""

    @app.command(name="two-people")
    def two_people() -> Answer:
        """List which orders take two people, and those that wait for a second."""
        rules, waiting = belt.two_people(), [each for each in belt.proposed_orders() if each.stand.value == "open"]
        lines = [f"{target or '*'}  lifting={rule.lifting}  placing={rule.placing}" for target, rule in rules.items()]
        lines += [f"{each.id}  {each.says.en}  {each.by}  {each.reason}" for each in waiting]
        data = {
            "rules": [
                {"system": target, "lifting": rule.lifting, "placing": rule.placing} for target, rule in rules.items()
            ],
            "waiting": [_waiting(each) for each in waiting],
        }
        return Answer(data=data, says=listed(lines, _NONE))

    @app.command(name="require-two")
    def require_two(
        *, reason: Reason, system: System = "", lifting: Lifting = False, placing: Placing = False
    ) -> Answer:
        """Set which orders take two people; exit 3 where that is laxer, and waits for a second person."""
        waits = belt.require_two(system, TwoPeople(lifting=lifting, placing=placing), reason, OWNER)
        return proposed(waits) if waits else Answer(data={"proposal": ""}, says=_SET)

    @app.command(name="second-order")
    def second_order(proposal: str, *, reason: Reason) -> Answer:
        """Second PROPOSAL (prp_…), by which another person would give an order, or set a rule."""
        made = belt.second_order(proposal, answer=reason, by=OWNER)
        return told(belt, made) if made else Answer(data={"proposal": proposal}, says=_SET)


def _waiting(proposal: Proposal) -> dict[str, Any]:
    says = {"zh": proposal.says.zh, "en": proposal.says.en}
    return {"proposal": proposal.id, "says": says, "by": proposal.by, "reason": proposal.reason}


_SET = Text(zh="规则已设定，并已记入存证账本。", en="The rule is set, and the ledger remembers it.")
_NONE = Text(zh="没有命令须由两人作出。", en="No order takes two people.")
