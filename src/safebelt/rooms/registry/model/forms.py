"""Words of filings and forms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a form.

    Attributes:
        id: Short; in a form with an official schema, the name there.
        help: More about it.
        cites: Provisions that ask for it, `eu/ai-act#annex_viii__sec_a__point_1`.
        unsure: Why it is not certain that the form has it so; empty where it is.
        source: Where its value is looked for on record, the first that is there counts; what people write comes first.
        is_required: Whether the form cannot go without it.
        max: Most characters.
        values: Our word to the form's.
        allowed: Values the form takes; empty for any.
        is_many: Whether it takes several values.
        missing: What to do where it is missing; None for what follows from its sources.
    """

    id: str
    title: Text
    help: Text | None = None
    cites: tuple[str, ...] = ()
    unsure: Text | None = None
    source: tuple[str, ...] = ()
    is_required: bool = True
    max: int = 0
    values: Mapping[str, str] = field(default_factory=dict)
    allowed: tuple[str, ...] = ()
    is_many: bool = False
    missing: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FormSpec:
    """A form or filing, as data.

    Attributes:
        to: To whom it goes.
        about: Who fills it, and when.
        cites: Provisions that ask for it.
        lang: The language its values are written in.
        evidence: Kind of evidence that its acceptance is.
        official: The official machine form it is written in; empty where there is none.
    """

    id: str
    title: Text
    to: Text
    about: Text
    lang: str
    fields: tuple[Field, ...]
    cites: tuple[str, ...] = ()
    evidence: str = ""
    official: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One value on record.

    Attributes:
        raw: As the record has it; a list for several.
        label: As a reader is told it; None where that is the same.
    """

    raw: Any
    label: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What is on record about a system, by the names that forms ask for it with.

    Attributes:
        values: `system.name`, `provider.name`, `fact.use.purposes`, `evidence.explicit_label`, `extra.goal`, …
        answers: Field to what people wrote into the form.
    """

    system_id: str
    on: date
    values: Mapping[str, Known]
    answers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """One field, filled or not.

    Attributes:
        value: What goes into the form: a text, or several; empty where there is none.
        source: Where it came from: `answer`, or the name it was found by; empty where there is none.
        said: Where it came from, for a reader; or why it is missing and what to do.
        trouble: Why what is on record cannot go into the form; None where it can.
    """

    field: Field
    value: str | tuple[str, ...]
    source: str
    said: Text
    trouble: Text | None = None

    @property
    def is_missing(self) -> bool:
        """Whether the form cannot go for want of it."""
        return self.field.is_required and not self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledForm:
    """A form as far as the record fills it."""

    spec: FormSpec
    system_id: str
    on: date
    fields: tuple[Filled, ...]

    @property
    def missing(self) -> tuple[Filled, ...]:
        """What it still wants before it can go."""
        return tuple(one for one in self.fields if one.is_missing)

    @property
    def is_complete(self) -> bool:
        """Whether nothing it requires is missing; whether it is right, whoever files it answers for."""
        return not self.missing


class FilingState(StrEnum):
    """Where a filing stands."""

    PRODUCED = "produced"
    SUBMITTED = "submitted"
    NUMBERED = "numbered"


FILING_STATES: Mapping[FilingState, Text] = {
    FilingState.PRODUCED: Text(zh="已生成", en="produced"),
    FilingState.SUBMITTED: Text(zh="已提交", en="submitted"),
    FilingState.NUMBERED: Text(zh="已取得编号", en="number received"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingRecord:
    """A filing that was made.

    Attributes:
        id: `fil_…`.
        digest: SHA-256 of what was filed.
        body: What was filed, JSON.
        missing: Fields that were missing.
        number: The number received; empty until then.
        evidence_id: The claimed evidence it became; empty where it became none.
    """

    id: str
    system_id: str
    form: str
    digest: str
    body: str
    state: FilingState
    missing: tuple[str, ...]
    by: str
    at: datetime
    number: str = ""
    received_on: date | None = None
    evidence_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receive:
    """Record the number a filing received.

    Attributes:
        number: As the authority wrote it.
        received_on: The day; today where left out.
        expires_on: Last day on which the claim counts; left out, 366 days from today.
    """

    number: str
    received_on: date | None = None
    expires_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FormFiled(Event):
    """A filing was produced or submitted; the subject is the system.

    Attributes:
        digest: SHA-256 of what was filed.
        missing: Fields it required and did not have.
    """

    kind: ClassVar[str] = "registry.form_filed.v1"
    title: ClassVar[Text] = Text(zh="制作了备案表", en="Form filed")
    filing_id: str
    form: str
    state: str
    digest: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingNumbered(Event):
    """A filing received a number; the subject is the system."""

    kind: ClassVar[str] = "registry.filing_numbered.v1"
    title: ClassVar[Text] = Text(zh="取得了备案编号", en="Filing number received")
    apart: ClassVar[frozenset[str]] = frozenset({"number"})
    filing_id: str
    form: str
    number: str
    received_on: date


EVENTS: tuple[type[Event], ...] = (FormFiled, FilingNumbered)
