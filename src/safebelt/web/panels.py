"""What one room lays on another room's page, and what the layout shows of the belt.  `run/doors.py` arranges both."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from safebelt.kernel.text import Lang, Text

Place = Literal["lead", "main", "side"]
"""`lead`: full width under the page's head; `main`: in the reading column; `side`: in the narrow column."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A part of a system's dossier that another room supplies.

    Attributes:
        name: Anchor on the page, for example `belt-traffic`.
        title: Its heading; the page writes it.
        template: Template of the supplying room, for example `belt/panel_traffic.html`; it is included, extends
            nothing, and gets `lang`, `t`, `ui`, `panel` and what `context` returned as `panel_data`.
        context: `(system id, language)` to the values the template needs; called once per page view, in a thread.
        place: Where it goes.
        needs: The Cedar action whose holders see it; empty for everybody who sees the page.
    """

    name: str
    title: Text
    template: str
    context: Callable[[str, Lang], Mapping[str, Any]]
    place: Place = "main"
    needs: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BeltState:
    """What the head of every page says about the belt.

    Attributes:
        command: The order in force for all systems: `run`, `pause`, `drain` or `cut`.
        stopped: How many systems have an order of their own that is not `run`.
        is_known: Whether the belt answered; if not, the head says *unknown* rather than *running*.
    """

    command: str
    stopped: int = 0
    is_known: bool = True


BeltStateOf = Callable[[], BeltState | None]
"""Returns what to show, or None to show nothing (no belt in this house)."""
