"""Words of what passes without being screened, because a policy says so."""

from dataclasses import dataclass

from safebelt.kernel.text import Text

UNGUARDED = "unguarded"
"""The scope of such requests, for keys and rules of admission; and the fact by which their records say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unguarded:
    """What a policy lets pass although the belt cannot screen it.

    Attributes:
        path: A path that begins with `/v1/`, letter by letter; where `is_under`, what such paths begin with, to a `/`.
        is_under: Whether everything under `path` is meant.
        methods: Methods, sorted.
        has_query: Whether a query may stand behind the path.
        why: Why it may pass, as everybody is told.
    """

    path: str
    methods: tuple[str, ...]
    why: Text
    is_under: bool = False
    has_query: bool = False

    @property
    def named(self) -> str:
        """The path as people are shown it: `/v1/files/…` for all that is under `/v1/files/`."""
        return f"{self.path}…" if self.is_under else self.path
