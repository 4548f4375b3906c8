"""The label and notice of what the belt lets out: ready in microseconds, and nothing else is loaded for them."""

from dataclasses import dataclass
from typing import Any

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
        made, conformance, _reason = decide.label(
            Generation.GENERATED, provider_code=self.code_for(uscc), produce_id=produce_id
        )
        return Labelled(header=decide.as_header(made, conformance), field=decide.as_field(made, conformance))

    def code_for(self, uscc: str) -> str:
        """Return the code that labels name: the one configured, else that of the system's provider, else none."""
        return self.provider_code or decide.provider_code_of(uscc)

    def notice_for(self, text: str) -> str:
        """Return the explicit notice in the language of a text."""
        return decide.notice_for(text)
