"""What the belt's commands share."""

from typing import Annotated

from cyclopts import Parameter, validators

from safebelt.kernel.text import Text

Reason = Annotated[str, Parameter(help="Why; it goes to the ledger.")]
System = Annotated[str, Parameter(help="A system's id; left out: all systems.")]
Model = Annotated[str, Parameter(help="Only a model, by the name callers ask for.")]
Tool = Annotated[str, Parameter(help="Only a tool of agents, by its name.")]
Page = Annotated[int, Parameter(validator=validators.Number(gte=1, lte=1_000_000))]
PerPage = Annotated[int, Parameter(help="So many a page.", validator=validators.Number(gte=1, lte=200))]
OfKey = Annotated[str, Parameter(help="Only one caller, by the id of the key.")]


def listed(lines: list[str], nothing: Text) -> Text:
    """Return lines as a text, or what to say where there are none."""
    return Text(zh="\n".join(lines) or nothing.zh, en="\n".join(lines) or nothing.en)
