"""Commands that roll back to an earlier version, go forward again, and say what versions there are."""

from typing import Annotated

from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER
from safebelt.kernel.text import Text
from safebelt.rooms.belt.cli.stopping import asked
from safebelt.rooms.belt.cli.words import Model, OfKey, Reason, listed
from safebelt.rooms.belt.model import Command, target_of
from safebelt.rooms.belt.service import Belt
from safebelt.rooms.belt.service.holding import Wanted
from safebelt.web.terminal import Answer

OfSystem = Annotated[str, Parameter(help="The system's id; left out, with neither model nor key: all systems.")]
To = Annotated[
    str,
    Parameter(help="A version that the settings name, or `model:` and a name; left out: the one named for the system."),
]
Cut = Annotated[bool, Parameter(help="Cut answers that run; else they end where they began.")]


def add_to(app: App, belt: Belt) -> None:
    """Add `roll-back`, `roll-forward` and `versions`."""

    @app.command(name="roll-back")
    def roll_back(
        system: OfSystem = "", *, reason: Reason, to: To = "", model: Model = "", key: OfKey = "", cut: Cut = False
    ) -> Answer:
        """Send what comes to an earlier version."""
        target = target_of(system, model=model, key=key)
        return asked(belt, belt.to_roll_back(target, to, OWNER, ends_running=cut), reason)

    @app.command(name="roll-forward")
    def roll_forward(system: OfSystem = "", *, reason: Reason, model: Model = "", key: OfKey = "") -> Answer:
        """Undo a roll-back."""
        target = target_of(system, model=model, key=key)
        return asked(belt, Wanted(command=Command.FORWARD, target=target), reason)

    @app.command
    def versions() -> Answer:
        """List the earlier versions there are, and the roll-backs in force."""
        there, now = belt.earlier(), belt.state().versions
        lines = [
            f"{each.name}  {each.upstream or '-'}  {each.model or '-'}  {','.join(each.systems) or '*'}"
            for each in there
        ]
        lines += [
            f"{each.order_id}  {each.target or '*'}  -> {each.terms.to or f'model:{each.terms.model}'}" for each in now
        ]
        data = {
            "earlier": [
                {"name": each.name, "upstream": each.upstream, "model": each.model, "systems": list(each.systems)}
                for each in there
            ],
            "in_force": [
                {
                    "order": each.order_id,
                    "for": each.target,
                    "to": each.terms.to,
                    "model": each.terms.model,
                    "layer": each.layer,
                }
                for each in now
            ],
        }
        return Answer(data=data, says=listed(lines, _NONE))


_NONE = Text(
    zh="没有写明较早版本（SAFEBELT_EARLIER_VERSIONS），也没有回退。",
    en="No earlier version is named (SAFEBELT_EARLIER_VERSIONS), and nothing is rolled back.",
)
