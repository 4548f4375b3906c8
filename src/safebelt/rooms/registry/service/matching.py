"""Putting together what words found: narrowed by filters, the best put in order by their text."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from safebelt.rooms.registry.decide import search as judge
from safebelt.rooms.registry.model.search_terms import clean
from safebelt.rooms.registry.service import finding
from safebelt.rooms.registry.store.search import batches

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
else:
    Numbers = object

RANKED = 100
"""Best results that are put in order by their text; the rest keep the order of the index."""
EXAMINED = 5_000
"""Best results that are asked for a filter before it is enough that a page is full."""
_AT_ONCE = 1_000

Tellings = tuple[judge.Telling, ...]
Read = Callable[[Sequence[str]], Mapping[str, tuple[Sequence[str], str]]]
"""Returns names and the rest of what systems are found by."""
Ask = Callable[[int | None, Numbers | None], finding.Answer]
"""Asks the words: how many are wanted in order (None: all), and among which entries (None: all)."""


@dataclass(frozen=True, slots=True)
class Matches:
    """Entries of what answers, best first, as far as asked; how many there are; whether there may be more than that."""

    numbers: Sequence[int]
    total: int
    has_more: bool = False


def all_of(answer: finding.Answer) -> Matches:
    """Return everything that words found."""
    return Matches(answer.numbers, answer.total)


def narrowed(
    ask: Ask, *, only: Numbers | None, kept: Callable[[Sequence[int]], list[int]], need: int, page: int
) -> Matches:
    """Return what words found as far as filters let it through.

    Where filters let few systems through, the words are asked among those.  Otherwise the best results are asked for
    the filters, until there are `need`, or a page is full and enough were examined to say *more than*.

    Args:
        ask: Asks the words.
        only: The entries the filters let through, where they are few.
        kept: Returns those of some entries the filters let through.
        need: How many are wanted.
        page: How many must be there at least, if there are.
    """
    if only is not None:
        return all_of(ask(need, only))
    answer, examined = ask(None, None), 0
    numbers: list[int] = []
    for some in batches(answer.numbers, _AT_ONCE):
        numbers += kept(some)
        examined += len(some)
        is_enough = len(numbers) > need or (examined >= EXAMINED and len(numbers) > page)
        if is_enough and examined < answer.total:
            return Matches(numbers, len(numbers) - 1, has_more=True)
    return Matches(numbers, len(numbers))


def best_first(
    read: Read,
    text: str,
    parts: Sequence[judge.Part],
    numbers: Sequence[int],
    here: slice,
    *,
    ids: Callable[[Sequence[int]], list[str]],
) -> tuple[list[str], dict[str, Tellings]]:
    """Return the ids of a page of what words found, and what each of them met; the first hundred ordered by text.

    Args:
        read: Reads what systems are found by.
        text: The question.
        parts: Its parts.
        numbers: Entries that were found, best first.
        here: Which of them are on the page.
        ids: Returns the systems of entries, those gone meanwhile left out.
    """
    if here.start >= RANKED:
        page = ids(numbers[here])
        return page, told_of(read, parts, page)
    best, told = _by_text(read, text, parts, ids(numbers[:RANKED]))
    page = [*best, *ids(numbers[RANKED : here.stop])][here]
    told |= told_of(read, parts, [each for each in page if each not in told])
    return page, {each: told[each] for each in page if each in told}


def _by_text(
    read: Read, text: str, parts: Sequence[judge.Part], ids: list[str]
) -> tuple[list[str], dict[str, Tellings]]:
    """Put systems in order by their text; those alike stay as they are."""
    wanted = " ".join(clean(text).split())
    texts = _cleaned(read(ids))
    told = {each: judge.tell(parts, "\n".join(names), rest, finding.likeness) for each, (names, rest) in texts.items()}
    ranks = {each: judge.rank(parts, wanted, *texts[each], told[each]) for each in told}
    return sorted(ids, key=lambda each: ranks.get(each, ()), reverse=True), told


def told_of(read: Read, parts: Sequence[judge.Part], ids: Sequence[str]) -> dict[str, Tellings]:
    """Return what of a question each of some systems met."""
    texts = _cleaned(read(ids)) if ids else {}
    return {each: judge.tell(parts, "\n".join(names), rest, finding.likeness) for each, (names, rest) in texts.items()}


def _cleaned(texts: Mapping[str, tuple[Sequence[str], str]]) -> dict[str, tuple[list[str], str]]:
    return {each: ([clean(name) for name in names], clean(rest)) for each, (names, rest) in texts.items()}
