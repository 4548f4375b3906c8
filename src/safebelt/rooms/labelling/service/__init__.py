"""Deeds of labelling: mark, check; and the label of what the belt lets out."""

from safebelt.rooms.labelling.model.label import SIDECAR
from safebelt.rooms.labelling.service.base import Desk
from safebelt.rooms.labelling.service.copying import Copying
from safebelt.rooms.labelling.service.giving import Labelled
from safebelt.rooms.labelling.service.letting import LetOut, LettingOut
from safebelt.rooms.labelling.service.listing import Listing, MarkedSent, MarkPage, MarkSent
from safebelt.rooms.labelling.service.marking import CannotMark, MarkedBytes, MarkFile
from safebelt.rooms.labelling.service.owing import OwedFor
from safebelt.rooms.labelling.service.passing import PassedOn, Passing, PassOn
from safebelt.rooms.labelling.service.rotating import Rotating
from safebelt.rooms.labelling.service.textmarks import TextMarks
from safebelt.rooms.labelling.service.verifying import MAX_SENT_BYTES

__all__ = [
    "MAX_SENT_BYTES",
    "SIDECAR",
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


class Labelling(LettingOut, Listing, Copying, Passing, TextMarks, Rotating):
    """Marks what AI makes, and checks what others bring."""
