"""Plain YAML from a stranger: bounded in bytes and depth, no anchors, no tags, no key twice."""

from collections.abc import Hashable
from typing import Any

import yaml

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text

MAX_BYTES = 1_000_000
MAX_DEPTH = 30


class _Plain(yaml.SafeLoader):
    """A safe loader that refuses what makes a small text big, or one key mean two things."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.YAMLError(f"line {event.start_mark.line + 1}: anchors and aliases are not taken")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise yaml.YAMLError(f"line {event.start_mark.line + 1}: nested more than {MAX_DEPTH} deep")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.YAMLError(f"line {key.start_mark.line + 1}: the key {key.value!r} stands twice")
            seen.add(getattr(key, "value", None) if isinstance(key, yaml.ScalarNode) else None)
        return super().construct_mapping(node, deep)


def read_plain(text: str, what: Text) -> dict[str, Any]:
    """Return a YAML mapping.

    Args:
        text: The YAML.
        what: What it is, for messages.

    Raises:
        Invalid: It is too long, too deep, no mapping, or no YAML.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise _unfit(what, Text(zh=f"超过 {MAX_BYTES} 字节", en=f"more than {MAX_BYTES} bytes"))
    try:
        data = yaml.load(text, Loader=_Plain)  # noqa: S506  a safe loader, made stricter
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        says = " ".join(str(error).split())
        raise _unfit(what, Text(zh=says, en=says)) from error
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise _unfit(what, Text(zh="应为“键: 值”", en="keys with values are wanted"))
    return data


def _unfit(what: Text, why: Text) -> Invalid:
    return Invalid(
        what=Text(
            zh=f"无法读取{what.zh}：{why.zh}。", en=f"{what.en[:1].upper()}{what.en[1:]} cannot be read: {why.en}."
        ),
        hint=Text(zh="请改正后再试。", en="Correct it and try again."),
    )
