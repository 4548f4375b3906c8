"""Deeds of labelling: mark, check; and the label of what the belt lets out.

A chapter is loaded when somebody first names what is in it: for the labels of texts the belt needs `giving` alone.
"""

from typing import TYPE_CHECKING

from safebelt.kernel.rooms import later
from safebelt.rooms.labelling.model.label import SIDECAR

if TYPE_CHECKING:
    from safebelt.rooms.labelling.service.at_the_belt import AtTheBelt
    from safebelt.rooms.labelling.service.base import Desk
    from safebelt.rooms.labelling.service.giving import Labelled
    from safebelt.rooms.labelling.service.letting import LetOut
    from safebelt.rooms.labelling.service.listing import MarkedSent, MarkPage, MarkSent
    from safebelt.rooms.labelling.service.marking import CannotMark, MarkedBytes, MarkFile
    from safebelt.rooms.labelling.service.owing import OwedFor
    from safebelt.rooms.labelling.service.passing import PassedOn, PassOn
    from safebelt.rooms.labelling.service.verifying import MAX_SENT_BYTES
    from safebelt.rooms.labelling.service.whole import Labelling

__all__ = [
    "MAX_SENT_BYTES",
    "SIDECAR",
    "AtTheBelt",
    "CannotMark",
    "Desk",
    "Labelled",
    "Labelling",
    "LetOut",
    "MarkFile",
    "MarkPage",
    "MarkSent",
    "MarkedBytes",
    "MarkedSent",
    "OwedFor",
    "PassOn",
    "PassedOn",
]

_CHAPTERS = {
    "base": "Desk",
    "at_the_belt": "AtTheBelt",
    "giving": "Labelled",
    "letting": "LetOut",
    "listing": "MarkPage MarkSent MarkedSent",
    "marking": "CannotMark MarkFile MarkedBytes",
    "owing": "OwedFor",
    "passing": "PassOn PassedOn",
    "verifying": "MAX_SENT_BYTES",
    "whole": "Labelling",
}
__getattr__ = later(__name__, _CHAPTERS)
