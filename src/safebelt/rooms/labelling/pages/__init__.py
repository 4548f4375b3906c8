"""Pages of labelling: the public check, and the console's marks."""

from safebelt.rooms.labelling.pages.marks import MarkPages
from safebelt.rooms.labelling.pages.panels import panels
from safebelt.rooms.labelling.pages.verify import VerifyPages

PAGES = (VerifyPages, MarkPages)

__all__ = ["PAGES", "panels"]
