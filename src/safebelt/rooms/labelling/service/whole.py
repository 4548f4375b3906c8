"""The whole of labelling: every chapter in one class."""

from safebelt.rooms.labelling.service.copying import Copying
from safebelt.rooms.labelling.service.letting import LettingOut
from safebelt.rooms.labelling.service.listing import Listing
from safebelt.rooms.labelling.service.passing import Passing
from safebelt.rooms.labelling.service.rotating import Rotating
from safebelt.rooms.labelling.service.textmarks import TextMarks


class Labelling(LettingOut, Listing, Copying, Passing, TextMarks, Rotating):
    """Marks what AI makes, and checks what others bring."""
