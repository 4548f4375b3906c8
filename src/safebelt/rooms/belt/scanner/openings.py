"""Reading the section `unguarded` of a policy file: which paths pass although the belt cannot screen them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StrictBool, model_validator

from safebelt.rooms.belt.decide.unguarded import guarded_in, guarded_under, is_plain
from safebelt.rooms.belt.model import Unguarded
from safebelt.rooms.belt.scanner.policy_words import Strict, Words

MAX_NAMES = 100
"""Names in one policy: whoever answers for what passes unread must be able to read the list."""
_PLAIN = (
    "a path is written /v1/… in letters, digits, '.', '_' and '-', at most 200 characters: no segment is empty or "
    "begins with a dot"
)


def _is_path(path: str) -> str:
    if not is_plain(path):
        raise ValueError(_PLAIN)
    return path


def _is_beginning(path: str) -> str:
    if not path.endswith("/") or (path != "/v1/" and not is_plain(path[:-1])):
        raise ValueError(f"what paths begin with ends in a slash; {_PLAIN}")
    return path


class OpeningData(Strict):
    """One name: a path or all that is under one, by which methods, and why."""

    path: Annotated[str, AfterValidator(_is_path)] | None = None
    under: Annotated[str, AfterValidator(_is_beginning)] | None = None
    methods: Annotated[tuple[Literal["DELETE", "GET", "PATCH", "POST", "PUT"], ...], Field(min_length=1)]
    query: StrictBool = False
    why: Words

    @model_validator(mode="after")
    def _names_one_thing(self) -> Self:
        if (self.path is None) == (self.under is None):
            raise ValueError("name exactly one of: path, under")
        if len(set(self.methods)) < len(self.methods):
            raise ValueError("a method stands more than once")
        return self

    @property
    def named(self) -> str:
        """What it names."""
        return self.path or self.under or ""

    def as_unguarded(self) -> Unguarded:
        """Return it as a word of the belt."""
        return Unguarded(
            path=self.named,
            is_under=self.under is not None,
            methods=tuple(sorted(self.methods)),
            has_query=self.query,
            why=self.why.as_text(),
        )


OpeningsData = Annotated[tuple[OpeningData, ...], Field(min_length=1, max_length=MAX_NAMES)]


def wrong_names(names: Sequence[OpeningData]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield names of what is not to be let pass unguarded, because the belt guards it; and names that stand twice.

    Asked when a file is read, not of versions that are kept: one that names what the belt has learned to guard since
    can still be read, and lets nothing of it pass.
    """
    counted = Counter(each.named for each in names)
    for place, each in enumerate(names):
        where = ("unguarded", place, "under" if each.under else "path")
        if guarded := guarded_in(each.named) or (guarded_under(each.named) if each.under else ""):
            yield where, f"{each.named}: the belt guards {guarded!r}, and nothing that leads there passes unguarded"
        if counted[each.named] > 1:
            yield where, f"{each.named} stands {counted[each.named]} times"
