"""The law of this repository, read once."""

from functools import cache
from pathlib import Path

from safebelt.rooms.rulebook import packs
from safebelt.rooms.rulebook.model import Rulebook

LAW = Path(__file__).parents[4] / "law"


@cache
def shipped() -> Rulebook:
    return packs.load_law(LAW)
