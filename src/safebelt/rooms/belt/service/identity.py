"""Who the system behind the belt is, as the belt of this home last wrote it down."""

from dataclasses import dataclass

from safebelt.kernel.errors import Problem
from safebelt.kernel.text import Text
from safebelt.rooms.belt.service.base import Chapter
from safebelt.rooms.certificates.model import Bearing, Carried


@dataclass(frozen=True, slots=True, kw_only=True)
class BeltIdentity:
    """What a page shows of it.

    Attributes:
        carried: The system, its certificate, and how renewal goes.
        bearing: How it stands now.
        problem: Why the certificate was not renewed, or what is wrong with the folder; None where nothing is.
    """

    carried: Carried
    bearing: Bearing
    problem: Text | None


class Identities(Chapter):
    """The identity that the belt proves at its own door."""

    def identity(self) -> BeltIdentity | None:
        """Return whose identity the belt of this home carries; None where its settings name nobody."""
        wanted = self._t.identity
        if wanted is None:
            return None
        from safebelt.rooms.certificates.service import bearing, read_note  # noqa: PLC0415  most belts need no X.509

        try:
            carried = read_note(wanted.folder) or wanted.of
        except Problem as problem:
            said = Text(zh=problem.in_("zh"), en=problem.in_("en"))
            return BeltIdentity(carried=wanted.of, bearing=Bearing.NONE, problem=said)
        return BeltIdentity(carried=carried, bearing=bearing(carried, self._t.clock()), problem=carried.problem)
