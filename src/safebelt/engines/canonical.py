"""RFC 8785 canonical JSON: one value, one sequence of bytes, so that a hash means something."""

from typing import Any

import rfc8785

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text


def canonical(value: Any) -> bytes:
    """Return the RFC 8785 bytes of a JSON-ready value.

    Raises:
        Invalid: The value has no canonical form (a float that is not finite, an integer beyond
            2^53 - 1, a lone surrogate, a key that is no string, too deep a nesting).
    """
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError) as error:
        raise Invalid(
            what=Text(zh=f"该内容没有规范的 JSON 形式：{error}", en=f"The value has no canonical JSON form: {error}."),
            hint=Text(
                zh="请只使用文本、有限数值、布尔值、列表和对象。",
                en="Use text, finite numbers, booleans, lists and objects.",
            ),
        ) from error
