"""What `_pieces.c` offers; see `frames`."""

from collections.abc import Callable
from typing import Any

class Lane:
    """A lane whose pieces are taken in one call."""

    def __new__(
        cls,
        begin: bytes,
        end: bytes,
        before: bytes,
        after: bytes,
        screen: Any,
        said: list[str],
        encode: Callable[[str], bytes],
        folded: dict[str, str],
        glances: dict[Any, Any],
        loud: Any,
        kept: int,
        most: int,
        /,
    ) -> Lane: ...
    def chunk(self, data: bytes, /) -> bytes | None:
        """Take one whole chunk of HTTP that is an event of the lane; None where that is for others."""
