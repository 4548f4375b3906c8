"""Regular expressions whose time is linear in the text, whoever wrote them.

Their engine comes with pydantic, which a belt's worker loads only where a rule about tools has such an expression.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import SchemaValidator


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> "SchemaValidator":
    """Compile an expression.

    Raises:
        SchemaError: It is none.
    """
    from pydantic_core import SchemaValidator, core_schema  # noqa: PLC0415  six megabytes that most belts never need

    return SchemaValidator(core_schema.str_schema(pattern=pattern, regex_engine="rust-regex"))


def matches(pattern: str, text: str) -> bool | None:
    """Say whether a regular expression is found in a text, in time linear in the text: the engine never goes back.

    Returns:
        None where the text is none (it holds half a character).
    """
    if any("\ud800" <= char <= "\udfff" for char in text):
        return None
    return compiled(pattern).isinstance_python(text)
