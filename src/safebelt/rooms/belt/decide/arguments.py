"""What stands in the arguments of a tool call, and whether a condition on them holds.  Pure.

Three-valued: what cannot be read is *unknown*, never *no*.  A rule that denies or holds looks leniently (any of several
values will do; case, width and compatibility forms of letters do not matter), one that allows looks strictly (all
values must do, letter by letter), so that no spelling slips through either.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from safebelt.kernel.conditions import Truth, conjunction, disjunction, negate
from safebelt.rooms.belt.model import ANYWHERE, WHOLE, Compare, ToolCondition

Matches = Callable[[str, str], bool | None]
"""`(regular expression, text)` → whether it is found; None where that cannot be told.  In time linear in the text."""
MAX_ARGUMENT_CHARS = 256 * 1024
"""Arguments longer than this are not read: a condition on them is unknown.  Real calls stay below a tenth of it."""
_MAX_VALUES = 10_000
"""Values that one path may lead to."""
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d{1,9}|\*)\]")
_ORDERED: dict[Compare, Callable[[Any, Any], bool]] = {
    Compare.MORE_THAN: lambda value, constant: value > constant,
    Compare.AT_LEAST: lambda value, constant: value >= constant,
    Compare.LESS_THAN: lambda value, constant: value < constant,
    Compare.AT_MOST: lambda value, constant: value <= constant,
}


class Unreadable(Exception):  # noqa: N818
    """The arguments, or what a path leads to, cannot be told."""


def read_arguments(source: str, *, is_json: bool) -> Any:
    """Return the arguments' value; a text where they are no JSON.

    Raises:
        Unreadable: They are no JSON as every reader understands it (RFC 8259; a name twice and NaN are none), too deep
            or too long.
    """
    if len(source) > MAX_ARGUMENT_CHARS:
        raise Unreadable
    if not is_json:
        return source
    try:
        return json.loads(source, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Unreadable from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice, and readers differ on which one counts")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def steps(path: str) -> tuple[str | int | None, ...]:
    """Return the steps of a path: a name, a place in a list, or None for every place.

    Raises:
        ValueError: It is no path.
    """
    found: list[str | int | None] = []
    at = 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None or (at == 0 and step[0].startswith(".")) or (at and step[1] and not step[0].startswith(".")):
            raise ValueError(f"not a path into arguments: {path!r}; write one like to, message.to[0] or items[*].price")
        found.append(step[1] or (None if step[2] == "*" else int(step[2])))
        at = step.end()
    if not found:
        raise ValueError("a path into arguments is empty")
    return tuple(found)


def holds(condition: ToolCondition, arguments: Any, matches: Matches, *, is_strict: bool) -> Truth:
    """Say whether a condition holds.

    Args:
        condition: The condition.
        arguments: What `read_arguments` gave.
        matches: Looks for a regular expression.
        is_strict: Whether all of several values must do, letter by letter (for a rule that allows).
    """
    if condition.compare is Compare.PRESENT:
        return _negated(Truth.of(_is_present(condition.argument, arguments) is condition.constant), condition)
    try:
        values = _values(condition.argument, arguments)
    except Unreadable:
        return Truth.UNKNOWN
    if condition.argument == ANYWHERE:
        values = [value for value in values if _fits(condition, value)]
    if is_strict and not values:
        return Truth.UNKNOWN
    truths = tuple(_negated(_judged(condition, value, matches, is_strict=is_strict), condition) for value in values)
    return conjunction(truths) if is_strict else disjunction(truths)


def texts_in(arguments: Any) -> Iterator[str]:
    """Yield every value that is a text, however deep."""
    return (leaf for leaf in _leaves(arguments) if isinstance(leaf, str))


def names_in(arguments: Any) -> Iterator[str]:
    """Yield the name of every field, however deep."""
    waiting = [arguments]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield from value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def looks_at(condition: ToolCondition, arguments: Any, has: Callable[[str], bool]) -> bool:
    """Whether a text among what a condition looks at has something; where it looks nowhere, none has."""
    if condition.compare is Compare.PRESENT:
        return False
    try:
        values = _values(condition.argument, arguments)
    except Unreadable:
        return False
    return any(has(text) for value in values for text in texts_in(value))


def _negated(truth: Truth, condition: ToolCondition) -> Truth:
    return negate(truth) if condition.is_negated else truth


def _is_present(path: str, arguments: Any) -> bool:
    try:
        return bool(_values(path, arguments))
    except Unreadable:
        return False


def _values(path: str, arguments: Any) -> list[Any]:
    """Return what a path leads to.

    Raises:
        Unreadable: It leads nowhere, or to too much.
    """
    if path == WHOLE:
        return [arguments]
    found = list(islice(_leaves(arguments), _MAX_VALUES + 1)) if path == ANYWHERE else [arguments]
    for step in () if path == ANYWHERE else steps(path):
        found = list(islice(chain.from_iterable(_step(value, step) for value in found), _MAX_VALUES + 1))
    if len(found) > _MAX_VALUES:
        raise Unreadable
    return found


def _step(value: Any, step: str | int | None) -> Sequence[Any]:
    if step is None and isinstance(value, list):
        return value
    if isinstance(step, int) and isinstance(value, list) and step < len(value):
        return (value[step],)
    if isinstance(step, str) and isinstance(value, dict) and step in value:
        return (value[step],)
    raise Unreadable


def _leaves(node: Any) -> Iterator[Any]:
    """Yield every value that is no list and no object, without recursion: what is read may be deep."""
    waiting = [node]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        else:
            yield value


def _fits(condition: ToolCondition, value: Any) -> bool:
    """Whether a value is of the kind a condition on every value looks at: numbers for an order, texts for letters."""
    if condition.compare in _ORDERED:
        return _is_number(value)
    if condition.compare in (Compare.MATCHES, Compare.CONTAINS):
        return isinstance(value, str)
    constants = condition.constant if isinstance(condition.constant, tuple) else (condition.constant,)
    return any(_is_like(value, constant) for constant in constants)


def _judged(condition: ToolCondition, value: Any, matches: Matches, *, is_strict: bool) -> Truth:
    """Judge one value; unknown where it is of another kind than what it is compared with: a tool may convert it."""
    constant = condition.constant
    match condition.compare:
        case Compare.IS:
            return _same(value, constant, is_strict=is_strict)
        case Compare.ONE_OF if isinstance(constant, tuple):
            return disjunction(tuple(_same(value, each, is_strict=is_strict) for each in constant))
        case Compare.CONTAINS:
            return _contains(value, constant, is_strict=is_strict)
        case Compare.MATCHES if isinstance(value, str):
            return _matching(str(constant), value, matches, is_strict=is_strict)
        case compare if compare in _ORDERED and _is_number(value):
            return Truth.of(_ORDERED[compare](value, constant))
    return Truth.UNKNOWN


def _matching(pattern: str, text: str, matches: Matches, *, is_strict: bool) -> Truth:
    forms = (text,) if is_strict else dict.fromkeys((text, plain(text)))
    return disjunction(tuple(Truth.of(matches(pattern, form)) for form in forms))


def _same(value: Any, constant: Any, *, is_strict: bool) -> Truth:
    if not _is_like(value, constant):
        return Truth.UNKNOWN
    if isinstance(value, str) and not is_strict:
        return Truth.of(plain(value) == plain(constant))
    return Truth.of(value == constant)


def _contains(value: Any, constant: Any, *, is_strict: bool) -> Truth:
    if isinstance(value, list):
        return disjunction(tuple(_same(item, constant, is_strict=is_strict) for item in value))
    if not isinstance(value, str) or not isinstance(constant, str):
        return Truth.UNKNOWN
    return Truth.of(constant in value if is_strict else plain(constant) in plain(value))


def plain(text: str) -> str:
    """Return a text without what only its spelling adds: case, width, compatibility forms, invisible characters."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in folded if unicodedata.category(char) != "Cf")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_like(value: Any, constant: Any) -> bool:
    """Whether two can be compared; yes and no are not the numbers 1 and 0, as they are to Python."""
    if isinstance(value, bool) or isinstance(constant, bool):
        return isinstance(value, bool) and isinstance(constant, bool)
    return (isinstance(value, str) and isinstance(constant, str)) or (_is_number(value) and _is_number(constant))
