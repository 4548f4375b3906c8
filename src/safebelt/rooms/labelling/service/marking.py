"""Marking files: notice, label and signed manifest, each where its format has a place for it, and all read back."""

import hashlib
import io
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Problem, Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.labelling import decide, store
from safebelt.rooms.labelling.formats import files
from safebelt.rooms.labelling.formats.carrier import Broken, Buffer, Edit, Span, Unwritable, applied
from safebelt.rooms.labelling.formats.kinds import MEDIA_TYPES, Kind, carrier_of, sniff
from safebelt.rooms.labelling.model import AigcLabel, Generation, Mark, Marked
from safebelt.rooms.labelling.model.events import ContentMarked, Remembered
from safebelt.rooms.labelling.model.provenance import Claim
from safebelt.rooms.labelling.provenance import integrity, notices
from safebelt.rooms.labelling.provenance.manifests import SIGNED_KINDS, Manifests, Signer
from safebelt.rooms.labelling.service.base import Furnished

if TYPE_CHECKING:
    from safebelt.rooms.certificates.service import Hand

SIDECAR = ".aigc.json"
"""What the name of a label's own file ends with, where the format has no place for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkFile:
    """What to put on a file.

    Attributes:
        system_id: What made the content; empty where no registered system did, and then nothing is signed.
        marks: Which marks are wished for.
        generation: What the label says.
        lang: Language of a notice; empty for the content's own.
    """

    system_id: str = ""
    marks: frozenset[Mark] = frozenset({Mark.AIGC, Mark.C2PA, Mark.EXPLICIT})
    generation: Generation = Generation.GENERATED
    lang: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedBytes:
    """A marked content in memory.

    Attributes:
        data: The content.
        kind: Its format.
        media_type: As HTTP names it.
        sha256: Its digest, hexadecimal.
        put: Names of the marks on it.
    """

    data: bytes
    kind: str
    media_type: str
    sha256: str
    put: frozenset[str]


class CannotMark(Exception):  # noqa: N818  it says what cannot be done
    """A content takes no mark here; the message says why, in English."""


class Marking(Furnished):
    """Marks files."""

    def mark_bytes(self, data: bytes, produce_id: str, system_id: str) -> MarkedBytes:
        """Mark a content on its way: label, and a manifest where the system's hand is at hand.

        Nothing is asked for or remembered here: who passes it on keeps the record that the label names.

        Args:
            data: The content.
            produce_id: Id of that record.
            system_id: What made the content.

        Raises:
            CannotMark: It is of no format that carries a label, or damaged.
        """
        kind = sniff(data)
        if kind is None:
            raise CannotMark("a content of no known format")
        hand = self.hand_at_hand(system_id)
        label = self._label(produce_id, Generation.GENERATED, hand)
        try:
            made = applied(data, carrier_of(kind).write(data, _value(label)))
            if [one.value for one in carrier_of(kind).read(made)] != [_value(label)]:
                raise CannotMark("a label that could not be read back")
            signed = _signed(made, kind, label, hand, self.software)
        except (Broken, Unwritable) as no:
            raise CannotMark(str(no)) from no
        return MarkedBytes(
            data=signed or made,
            kind=kind.value,
            media_type=MEDIA_TYPES[kind],
            sha256=hashlib.sha256(signed or made).hexdigest(),
            put=frozenset({Mark.AIGC.value} | ({Mark.C2PA.value} if signed else set())),
        )

    def mark(self, source: Path, out: Path, cmd: MarkFile, *, by: Actor) -> Marked:
        """Write a marked copy of a file, and remember that this house did.

        Args:
            source: The file.
            out: Where the marked one goes; may be the same.
            cmd: What to put on it.
            by: Who has it marked.

        Returns:
            What was put on it, each read back, and what was left out, with why.

        Raises:
            NotFound: There is no such file or system.
            Invalid: The file is of no known format, or damaged.
            Conflict: What was written could not be read back; then nothing is left behind.
            Unavailable: The file cannot be written.
        """
        if cmd.system_id:
            name = self.desk.registry.system(cmd.system_id).name
            title = name.en or name.zh
        else:
            title = ""
        ident = self.desk.new_id("mrk")
        hand, why_not = self._hand(cmd)
        work = _Work(
            cmd=cmd, label=self._label(ident, cmd.generation, hand), hand=hand, title=title, software=self.software
        )
        if why_not is not None and Mark.C2PA in cmd.marks:
            work.left[Mark.C2PA] = why_not
        made = _done(work, source, out)
        self._remember(ident, cmd, made, hand, by)
        return made

    def _hand(self, cmd: MarkFile) -> "tuple[Hand | None, Text | None]":
        if not cmd.system_id:
            return None, Text(zh="没有指明系统，因此不签名。", en="No system was named, so nothing is signed.")
        try:
            return self.desk.hand(cmd.system_id), None
        except Problem as problem:
            return None, Text(zh=problem.in_("zh"), en=problem.in_("en"))

    def _label(self, ident: str, generation: Generation, hand: "Hand | None") -> AigcLabel:
        """Make the label, signed where there is a hand."""
        label, _, _ = decide.label(generation, provider_code=self.provider_code, produce_id=ident)
        if hand is None:
            return label
        said = label.as_object()
        code = integrity.reserved_code(said, algorithm=hand.identifier, serial=hand.serial, sign=hand.sign)
        return replace(label, reserved_code1=code)

    def _remember(self, ident: str, cmd: MarkFile, made: Marked, hand: "Hand | None", by: Actor) -> None:
        event = ContentMarked(
            subject=ident,
            system_id=cmd.system_id,
            file_kind=made.kind,
            sha256=made.sha256,
            marks=tuple(sorted(one.value for one in made.put)),
            serial=hand.serial if hand else "",
        )
        desk = self.desk
        with desk.sql.begin() as tx:
            entry = desk.ledger.append(tx, event, by=by)
            one = Remembered(id=ident, system_id=cmd.system_id, sha256=made.sha256, at=desk.clock(), entry_id=entry)
            store.insert(tx, one)


def _done(work: "_Work", source: Path, out: Path) -> Marked:
    """Do the work on files; whatever fails is said as a problem."""
    try:
        with files.opened(source) as (file, data), files.draft_of(out) as draft:
            return work.on(file, data, source.name, draft, out)
    except FileNotFoundError:
        raise NotFound(
            what=Text(
                zh=f"没有文件“{source}”。", en=f"There is no file {str(source)!r}, or no folder for {str(out)!r}."
            ),
            hint=Text(zh="请核对两个路径。", en="Check both paths."),
        ) from None
    except OSError as error:
        why = error.strerror or str(error)
        raise Unavailable(
            what=Text(zh=f"无法写入“{out}”：{why}。", en=f"{str(out)!r} cannot be written: {why}."),
            hint=Text(
                zh="请核对路径、权限和磁盘空间。", en="Check the path, its permissions and the space on the disk."
            ),
        ) from error
    except Broken as broken:
        raise Invalid(
            what=Text(zh=f"“{source.name}”已损坏：{broken}。", en=f"{source.name!r} is damaged: {broken}."),
            hint=Text(zh="请用原程序重新保存该文件。", en="Save it anew with the program that made it."),
            details={"field": "file"},
        ) from broken


@dataclass(slots=True, kw_only=True)
class _Work:
    """One file on its way: notice, then label, then manifest, since each covers what came before it."""

    cmd: MarkFile
    label: AigcLabel
    hand: "Hand | None"
    title: str
    software: tuple[str, str]
    put: dict[Mark, str] = field(default_factory=dict)
    left: dict[Mark, Text] = field(default_factory=dict)

    def on(self, file: int, data: Buffer, name: str, draft: Path, out: Path) -> Marked:
        """Mark a file; leave the result in the draft.

        Raises:
            Broken: It is not whole.
            OSError: The draft cannot be written.
            Invalid: It is of no known format.
            Conflict: What was written could not be read back.
        """
        kind = sniff(data, name)
        if kind is None:
            raise _unknown(name)
        value = _value(self.label)
        noted = self._noted(data, kind)
        edit = self._labelled(noted, kind, value)
        if not self._is_signed(noted, edit, kind, draft):
            _write(file, data, noted, edit, draft)
        marked = self._read_back(draft, kind, value)
        if self.put.get(Mark.AIGC) == SIDECAR:
            beside = out.with_name(out.name + SIDECAR)
            beside.write_text(f'{{"AIGC":{value}}}\n', "utf-8")
            self.put[Mark.AIGC] = beside.name
        return marked

    def _noted(self, data: Buffer, kind: Kind) -> Buffer:
        if Mark.EXPLICIT not in self.cmd.marks:
            return data
        try:
            noted, self.put[Mark.EXPLICIT] = notices.put(data, kind, self.cmd.lang)
        except Unwritable as no:
            self.left[Mark.EXPLICIT] = no.why
            return data
        return noted

    def _labelled(self, data: Buffer, kind: Kind, value: str) -> Edit:
        whole = [Span(0, len(data))]
        if Mark.AIGC not in self.cmd.marks:
            return whole
        try:
            edit = carrier_of(kind).write(data, value)
        except Unwritable:
            self.put[Mark.AIGC] = SIDECAR
            return whole
        self.put[Mark.AIGC] = kind.value
        return edit

    def _is_signed(self, data: Buffer, edit: Edit, kind: Kind, draft: Path) -> bool:
        """Write the draft with a manifest, if one is wished for and the format takes one; say whether it was."""
        if Mark.C2PA not in self.cmd.marks or self.hand is None:
            return False
        claim = Claim(system=(self.title, ""), software=self.software, aigc=self.label.as_object())
        signer = Signer(algorithm=self.hand.algorithm, chain=self.hand.chain, sign=self.hand.raw)
        try:
            with draft.open("w+b") as signed:
                Manifests("").sign(io.BytesIO(applied(data, edit)), signed, kind, claim, signer)
        except Unwritable as no:
            self.left[Mark.C2PA] = no.why
            return False
        self.put[Mark.C2PA] = "C2PA"
        return True

    def _read_back(self, draft: Path, kind: Kind, value: str) -> Marked:
        """Hold that what was written is there: a label that cannot be read is none."""
        with files.opened(draft) as (_, data):
            if self.put.get(Mark.AIGC) == kind.value:
                found = carrier_of(kind).read(data)
                if [one.value for one in found] != [value]:
                    raise _not_read_back(Mark.AIGC)
                self.put[Mark.AIGC] = found[0].place
            digest, size = hashlib.sha256(data).hexdigest(), len(data)
        if Mark.C2PA in self.put:
            with draft.open("rb") as file:
                manifest = Manifests("").read(file, kind)
            if manifest is None or not (manifest.is_bound and manifest.is_signed):
                raise _not_read_back(Mark.C2PA)
        return Marked(kind=kind.value, put=self.put, left_out=self.left, sha256=digest, size=size)


def _value(label: AigcLabel) -> str:
    """Return a label as it stands in a file: one line of ASCII."""
    return json.dumps(label.as_object(), ensure_ascii=True, separators=(",", ":"))


def _signed(data: bytes, kind: Kind, label: AigcLabel, hand: "Hand | None", software: tuple[str, str]) -> bytes:
    """Return a content with a manifest; nothing where there is no hand, or the format takes none."""
    if hand is None or kind not in SIGNED_KINDS:
        return b""
    claim = Claim(system=(hand.system_id, ""), software=software, aigc=label.as_object())
    signer = Signer(algorithm=hand.algorithm, chain=hand.chain, sign=hand.raw)
    out = io.BytesIO()
    Manifests("").sign(io.BytesIO(data), out, kind, claim, signer)
    return out.getvalue()


def _write(file: int, data: Buffer, noted: Buffer, edit: Edit, draft: Path) -> None:
    if noted is data:
        files.write(file, edit, draft)
    else:
        draft.write_bytes(applied(noted, edit))


def _unknown(name: str) -> Invalid:
    return Invalid(
        what=Text(zh=f"“{name}”的格式不在支持之列。", en=f"{name!r} is of no format that is known here."),
        hint=Text(
            zh="用 safebelt labelling formats 查看支持的格式。", en="safebelt labelling formats lists those that are."
        ),
        details={"field": "file"},
    )


def _not_read_back(mark: Mark) -> Conflict:
    return Conflict(
        what=Text(
            zh=f"写入的标记（{mark.value}）未能读回，因此没有留下文件。",
            en=f"The mark that was written ({mark.value}) could not be read back, so no file was left.",
        ),
        hint=Text(
            zh="请用原程序重新保存该文件后再试，并报告此问题。", en="Save the file anew, try again, and report this."
        ),
    )
