"""What decides about complaints, as `registry/complaints.yaml` says it."""

from collections.abc import Mapping
from dataclasses import dataclass

from safebelt.kernel.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplaintRules:
    """What is taken, how much, how often, and by when an answer is owed: `registry/complaints.yaml`.

    Attributes:
        basis: What the days rest on; said wherever a date is shown.
        answer_days: Calendar days (UTC) until an answer is owed; the day of receipt is not counted.
        retention_days: Days after its end for which a complaint's texts and files are kept.
        kinds: Id to what people call it.
        text_chars, contact_chars: Most characters.
        files: Most files of one sending.
        file_bytes, files_bytes: Most bytes of one file, and of all files of one sending.
        additions: Most additions to one complaint.
        filings_per_hour: Complaints one address may file in an hour.
        attempts_per_hour: Sendings of one address in an hour, good or not.
        codes_per_hour: Wrong codes of one address in an hour.
        house_filings_per_hour: Complaints taken online in an hour from everybody together.
    """

    basis: Text
    answer_days: int
    retention_days: int
    kinds: Mapping[str, Text]
    text_chars: int
    contact_chars: int
    files: int
    file_bytes: int
    files_bytes: int
    additions: int
    filings_per_hour: int
    attempts_per_hour: int
    codes_per_hour: int
    house_filings_per_hour: int

    def kind(self, id_: str) -> Text:
        """Return what people call a kind, also of one that is not taken any more."""
        return self.kinds.get(id_, Text(zh=id_, en=id_))
