"""Walk conditions as plain data: what is wrong with their form, and every leaf with its place."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from safebelt.kernel.conditions import OPERATORS, TAKES_A_LIST
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.packs.documents import Path
from safebelt.rooms.rulebook.packs.messages import shown, suggestion


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A leaf that compares a fact.

    Attributes:
        path: Where it stands, within the condition.
        parameter: The parameter that stands in place of the constant, if one does.
    """

    path: Path
    fact: str
    operator: str
    constant: Any
    parameter: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A leaf that names a term (`is_norm` false) or a norm."""

    path: Path
    name: str
    is_norm: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Malformed:
    """A node that is no condition."""

    path: Path
    what: Text
    hint: Text


Leaf = Comparison | Named | Malformed


def leaves(tree: Any, path: Path = ()) -> Iterator[Leaf]:
    """Yield every leaf of a condition, and every node that is malformed; never raises."""
    if not isinstance(tree, dict) or not tree:
        yield _malformed(path, tree)
        return
    keys = set(tree)
    if keys in ({"all"}, {"any"}):
        yield from _parts(*tree.items(), path=path)
    elif keys == {"not"}:
        yield from leaves(tree["not"], (*path, "not"))
    elif keys == {"term"} and isinstance(tree["term"], str):
        yield Named(path=(*path, "term"), name=tree["term"], is_norm=False)
    elif keys == {"applies"}:
        yield from _applies(tree["applies"], (*path, "applies"))
    elif "fact" in keys:
        yield from _comparison(tree, path)
    else:
        yield _malformed(path, tree)


def _parts(pair: tuple[str, Any], *, path: Path) -> Iterator[Leaf]:
    form, parts = pair
    if not isinstance(parts, list) or not parts:
        yield Malformed(
            path=(*path, form),
            what=Text(zh=f"{form} 里没有条件。", en=f"{form} holds no conditions."),
            hint=Text(zh="写成列表，至少一项。", en="Write a list of at least one."),
        )
        return
    for place, part in enumerate(parts):
        yield from leaves(part, (*path, form, place))


def _applies(value: Any, path: Path) -> Iterator[Leaf]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        yield _malformed(path, value)
        return
    for place, name in enumerate(names):
        yield Named(path=path if isinstance(value, str) else (*path, place), name=name, is_norm=True)


def _comparison(tree: dict[str, Any], path: Path) -> Iterator[Leaf]:
    operators = [key for key in tree if key != "fact"]
    if len(operators) != 1 or operators[0] not in OPERATORS or not isinstance(tree["fact"], str):
        yield _bad_operator(operators, path)
        return
    operator = operators[0]
    constant = tree[operator]
    if isinstance(constant, dict) and set(constant) == {"param"} and isinstance(constant["param"], str):
        yield Comparison(path=path, fact=tree["fact"], operator=operator, constant=None, parameter=constant["param"])
    elif (
        constant is None
        or isinstance(constant, dict)
        or (operator in TAKES_A_LIST) != isinstance(constant, list)
        or constant == []
    ):
        yield Malformed(
            path=(*path, operator),
            what=Text(
                zh=f"{operator} 的值 {shown(constant)} 写法不对。", en=f"{operator} cannot take {shown(constant)}."
            ),
            hint=Text(
                zh="one_of、includes_any 配非空列表；其他配单个值或 {param: 编号}。",
                en="one_of and includes_any take a list that is not empty; the others one value, or {param: id}.",
            ),
        )
    else:
        yield Comparison(path=path, fact=tree["fact"], operator=operator, constant=constant)


def _bad_operator(operators: list[str], path: Path) -> Malformed:
    close = suggestion(operators[0], OPERATORS) if len(operators) == 1 else None
    listed = ", ".join(OPERATORS)
    return Malformed(
        path=path,
        what=Text(zh="这个比较的写法不对。", en="This is no comparison."),
        hint=Text(
            zh=f"{close.zh if close else ''}fact 配恰好一个：{listed}。",
            en=f"{close.en + ' ' if close else ''}Give fact and exactly one of: {listed}.",
        ),
    )


def _malformed(path: Path, tree: Any) -> Malformed:
    return Malformed(
        path=path,
        what=Text(zh=f"{shown(tree)} 不是条件。", en=f"{shown(tree)} is no condition."),
        hint=Text(
            zh="写 all、any（列表）、not、fact、term 或 applies 之一；每一层只写一个。",
            en="Write one of all, any (lists), not, fact, term, applies; one at each level.",
        ),
    )
