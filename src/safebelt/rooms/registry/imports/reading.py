"""Files to records: which form they have, what they state, and everything that is wrong with them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.registry.imports.applying import NO_PURPOSE, Applying, digest_of
from safebelt.rooms.registry.imports.bounds import MAX_FILES, MAX_RECORDS, Unfit, unfit
from safebelt.rooms.registry.imports.decoding import card_record, headings_of, json_records, table_records, text_of
from safebelt.rooms.registry.model.imports import File, Form, Mapped, Raw, Record, Trouble
from safebelt.rooms.rulebook.model import Description, Fact

Describe = Callable[[str, str], Description]
"""Text and name of a descriptor to what it describes; raises `Invalid`."""

_ATRS_MARK, _NL_MARKS = b'"publishing_body"', (b'"organization"', b'"description_short"')
_LOOKED_AT_BYTES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Readout:
    """What files hold.

    Attributes:
        records: What can be used, in the order of the source.
        troubles: What cannot, with its place.
        headings: Of the table, where no mapping says what they mean: then there are no records.
        sha256: Of all files.
    """

    form: Form
    sha256: str
    records: tuple[Record, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    headings: tuple[str, ...] = field(default=())


def guess_form(files: tuple[File, ...]) -> Form:
    """Return which form files have, from their names and first bytes.

    Raises:
        Unfit: They look like nothing known.
    """
    for file in files:
        found = _form_of(file)
        if found is not None:
            return found
    names = ", ".join(one.name for one in files[:3]) or "-"
    raise unfit(
        names,
        Text(zh="看不出这些文件的格式。", en="The form of these files cannot be told."),
        Text(
            zh="请用 --form 写明：system、hf、atrs、nl 或 csv。",
            en="Say it with --form: system, hf, atrs, nl or csv.",
        ),
    )


def _form_of(file: File) -> Form | None:
    name, head = file.name.lower(), file.content[:_LOOKED_AT_BYTES]
    if name.endswith((".csv", ".tsv")):
        return Form.CSV
    if name.endswith(".md"):
        return Form.HF
    if name.endswith((".yaml", ".yml")) or b"system/1" in head:
        return Form.SYSTEM
    if _ATRS_MARK in head:
        return Form.ATRS
    return Form.NL if all(mark in head for mark in _NL_MARKS) else None


def read(
    files: Iterable[File],
    *,
    form: Form | None,
    mapping: Callable[[Form], Mapped | None],
    vocabulary: Mapping[str, Fact],
    describe: Describe,
    provider: str = "",
) -> Readout:
    """Read files.

    Args:
        files: At most `MAX_FILES`.
        form: Which form they have; None to look.
        mapping: The mapping for a form; None where somebody has to write one first.
        vocabulary: Fact id to the fact.
        describe: Reads our own descriptors.
        provider: The party that stands where a record names none.

    Raises:
        Unfit: The form cannot be told, there are too many files, or the mapping names a fact nobody knows.
    """
    brought = tuple(islice(files, MAX_FILES + 1))
    if len(brought) > MAX_FILES:
        raise unfit("-", Text(zh=f"超过 {MAX_FILES} 个文件。", en=f"More than {MAX_FILES} files."))
    kind = form or guess_form(brought)
    digest = sha256(b"".join(sha256(one.content).digest() for one in brought)).hexdigest()
    if kind is Form.SYSTEM:
        found = [_described(one, describe, provider) for one in brought]
        return _readout(kind, digest, found)
    chosen = mapping(kind)
    if chosen is None:
        return Readout(form=kind, sha256=digest, headings=headings_of(brought[0]) if brought else ())
    unknown = sorted(set(chosen.facts) - set(vocabulary))
    if unknown:
        says = Text(zh=f"规则库没有这些事实：{'、'.join(unknown)}。", en=f"No such facts: {', '.join(unknown)}.")
        raise unfit("mapping", says, Text(zh="请核对事实编号。", en="Check the ids of the facts."))
    work = Applying(chosen, vocabulary, provider)
    raws = (raw for file in brought for raw in _raw(kind, file))
    return _readout(kind, digest, [work.record(one) if isinstance(one, Raw) else one for one in _bounded(raws)])


def _raw(form: Form, file: File) -> Iterator[Raw | Unfit]:
    try:
        if form is Form.HF:
            yield card_record(file)
        elif form is Form.CSV:
            yield from table_records(file)
        else:
            yield from json_records(file)
    except Unfit as wrong:
        yield wrong


def _bounded(raws: Iterator[Raw | Unfit]) -> Iterator[Raw | Unfit]:
    yield from islice(raws, MAX_RECORDS)
    if next(raws, None) is not None:
        yield unfit(
            f"#{MAX_RECORDS + 1}",
            Text(
                zh=f"超过 {MAX_RECORDS} 条记录，其余未读。",
                en=f"More than {MAX_RECORDS} records; the rest was not read.",
            ),
            Text(zh="请拆成几个文件分次导入。", en="Split the file and import the parts."),
        )


def _described(file: File, describe: Describe, provider: str) -> Record | Unfit:
    try:
        text = text_of(file)
        found = describe(text, file.name)
    except Unfit as wrong:
        return wrong
    except Invalid as wrong:
        return unfit(file.name, wrong.what, wrong.hint)
    return Record(
        where=file.name,
        origin="system/1",
        ref=found.id,
        name=found.name,
        purpose=found.purpose or NO_PURPOSE,
        provider=provider,
        facts=found.facts,
        sources=found.sources,
        notes=() if found.purpose else (NO_PURPOSE,),
        sha256=digest_of({"text": text}),
    )


def _readout(form: Form, digest: str, found: list[Record | Unfit]) -> Readout:
    return Readout(
        form=form,
        sha256=digest,
        records=tuple(one for one in found if isinstance(one, Record)),
        troubles=tuple(one.trouble for one in found if isinstance(one, Unfit)),
    )
