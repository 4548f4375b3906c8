"""What the belt has of labelling: labels of texts at once, the rest when it comes to it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from safebelt.rooms.labelling.service.giving import Giving

if TYPE_CHECKING:
    from safebelt.rooms.labelling.service.letting import LetOut, LettingOut
    from safebelt.rooms.labelling.service.marking import MarkedBytes


class AtTheBelt(Giving):
    """Labels texts by itself, and builds the room when the first other content comes.

    Args:
        provider_code: As for `Giving`.
        whole: Returns the room.
    """

    def __init__(self, provider_code: str, whole: "Callable[[], LettingOut]") -> None:
        super().__init__(provider_code)
        self._whole = whole

    def let_out(self, contents: Sequence[tuple[str, bytes]], to: "LetOut") -> "list[MarkedBytes]":
        """Mark the contents of one answer, as `LettingOut.let_out` does."""
        return self._whole().let_out(contents, to)
