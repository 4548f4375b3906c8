"""The label and notice of what the belt lets out: ready in microseconds, and nothing else is loaded for them."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from safebelt.kernel.text import Lang
from safebelt.rooms.labelling import decide
from safebelt.rooms.labelling.model import Generation


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A label, ready to be put beside a content.

    Attributes:
        header: Compact ASCII JSON for an HTTP header.
        field: The same as JSON-ready values.
    """

    header: str
    field: dict[str, Any]


_OUR_ID = re.compile(r"rec_[0-9a-z]{26}")
_ANY_ID = "rec_" + "0" * 26
"""Stands for any id of our own form while what does not depend on it is worked out once a provider."""


def _labelled(code: str, produce_id: str) -> Labelled:
    made, conformance, _reason = decide.label(Generation.GENERATED, provider_code=code, produce_id=produce_id)
    return Labelled(header=decide.as_header(made, conformance), field=decide.as_field(made, conformance))


@lru_cache(maxsize=1024)
def _of_ours(code: str) -> Labelled:
    return _labelled(code, _ANY_ID)


class Giving:
    """Makes labels for one provider.

    Args:
        provider_code: Code or name of the provider for every content; empty where that of each system's provider is
            meant, and where none of these is known either, labels say *incomplete*.

    Raises:
        Invalid: The code holds characters that the standard does not provide for.
    """

    def __init__(self, provider_code: str) -> None:
        decide.label(Generation.GENERATED, provider_code=provider_code, produce_id="rec_0")
        self.provider_code = provider_code

    def generated(self, produce_id: str, uscc: str = "") -> Labelled:
        """Return the implicit label of content that AI generated.

        Args:
            produce_id: The record's id.
            uscc: Unified social credit code of the system's provider; empty where that bears none.
        """
        code = self.code_for(uscc)
        if not _OUR_ID.fullmatch(produce_id) or _ANY_ID in code:
            return _labelled(code, produce_id)
        known = _of_ours(code)
        field = {**known.field, "AIGC": {**known.field["AIGC"], "ProduceID": produce_id}}
        return Labelled(header=known.header.replace(_ANY_ID, produce_id), field=field)

    def code_for(self, uscc: str) -> str:
        """Return the code that labels name: the one configured, else that of the system's provider, else none."""
        return self.provider_code or decide.provider_code_of(uscc)

    def lang_of(self, text: str) -> Lang:
        """Return in which language a notice on a text is."""
        return decide.lang_of(text)

    def notice_for(self, text: str) -> str:
        """Return the explicit notice in the language of a text."""
        return decide.notice_for(text)
