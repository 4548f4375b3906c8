"""What the belt lays on a system's dossier, and what the head of every page says of it."""

from collections.abc import Mapping
from typing import Any

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.belt.pages import chart, words
from safebelt.rooms.belt.service import Belt, Search
from safebelt.web.panels import BeltState, Panel

_LAST = 5


def dossier_panels(belt: Belt) -> tuple[Panel, ...]:
    """Return the belt's panel for `app.state.dossier_panels`."""

    def context(system_id: str, lang: Lang) -> Mapping[str, Any]:
        harness = next((each for each in belt.harnesses() if each.system_id == system_id), None)
        traffic = belt.traffic(system_id, 60)
        return {
            "system_id": system_id,
            "harness": harness,
            "holds": belt.in_force(system_id),
            "traffic": traffic,
            "shares": chart.shares(traffic.by_done),
            "would_act": traffic.by_would.get("mask", 0) + traffic.by_would.get("refuse", 0),
            "last": belt.exchanges(Search(system=system_id), 1, _LAST).items,
            "stances": words.STANCES,
            "names": {},
        }

    title = Text(zh="安全带", en="The belt")
    return (Panel(name="belt", title=title, template="belt/panel_belt.html", context=context, place="lead"),)


def belt_state(belt: Belt) -> BeltState:
    """Return what the head of every page says: *unknown* rather than *running* where no belt is up."""
    now = belt.state()
    return BeltState(command=now.everything.command.value, stopped=len(now.systems), is_known=now.is_alive)
