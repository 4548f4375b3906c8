"""What happens when many systems enter, and when that is undone."""

from dataclasses import dataclass
from typing import ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemsImported(Event):
    """Systems and their parties entered the register together; the subject is the batch.

    Attributes:
        form: Which form the source has.
        source_sha256: Of the file.
        first, last: Places of the records dealt with.
        entered, parties, repeated, refused: How many systems and parties entered; records that did not.
        described: Systems whose facts are on record.
        barred: Systems that meet a red line.
        root: RFC 6962 root over what entered, one leaf for each party and system, in the order of the source.
        leaves: How many leaves.
    """

    kind: ClassVar[str] = "registry.systems_imported.v1"
    title: ClassVar[Text] = Text(zh="导入了系统", en="Systems imported")
    form: str
    source_sha256: str
    first: int
    last: int
    entered: int
    parties: int
    repeated: int
    refused: int
    described: int
    barred: int
    root: str
    leaves: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportUndone(Event):
    """Systems that an import had entered and nobody had touched were taken out; the subject is the batch.

    Attributes:
        taken_out, kept: How many systems were taken out; how many stay because somebody touched them.
        root: RFC 6962 root over the ids taken out, in ascending order.
    """

    kind: ClassVar[str] = "registry.import_undone.v1"
    title: ClassVar[Text] = Text(zh="撤销了导入", en="Import undone")
    apart: ClassVar[frozenset[str]] = frozenset({"reason"})
    reason: str
    taken_out: int
    kept: int
    parties: int
    root: str
