"""Orders that take two people, where a system asks for it."""

from dataclasses import dataclass
from typing import ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoPeople:
    """Which orders for a system are acts of two people.

    Attributes:
        lifting: To let it run again after a stop, to ease or lift a limit, to go forward after a roll-back.
        placing: To stop it, limit it, or roll it back.
    """

    lifting: bool = False
    placing: bool = False

    @property
    def is_safer_than(self) -> tuple[bool, bool]:
        """In which order rules are compared: asking two to lift is safer, asking two to stop is not."""
        return self.lifting, not self.placing

    def is_no_laxer(self, old: "TwoPeople") -> bool:
        """Whether one person may put this in the place of an older rule."""
        return all(new or not before for new, before in zip(self.is_safer_than, old.is_safer_than, strict=True))


ONE_PERSON = TwoPeople()
"""Where nothing was set: one person orders, and one person lifts what was ordered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoPeopleSet(Event):
    """It was set which orders for a system, or for all, take two people.  The subject is the system.

    Attributes:
        lifting: To let it run again after a stop.
        placing: To stop it.
        proposal: The two people's act by which that became laxer; empty where one person was enough.
    """

    kind: ClassVar[str] = "belt.two_people_set.v1"
    title: ClassVar[Text] = Text(zh="设定了哪些命令须由两人作出", en="Set which orders take two people")
    apart: ClassVar[frozenset[str]] = frozenset({"reason"})
    lifting: bool
    placing: bool
    proposal: str
    reason: str
