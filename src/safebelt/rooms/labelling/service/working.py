"""One file on its way: what is put into it, in which order, and how it is read back."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from safebelt.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.labelling import decide
from safebelt.rooms.labelling.formats import files
from safebelt.rooms.labelling.formats.carrier import Broken, Buffer, Edit, Span, Unwritable, applied
from safebelt.rooms.labelling.formats.kinds import Kind, carrier_of, sniff
from safebelt.rooms.labelling.model import AigcLabel, Mark, Marked
from safebelt.rooms.labelling.model.label import SIDECAR
from safebelt.rooms.labelling.provenance import scanning
from safebelt.rooms.labelling.provenance.loopback import Stamp
from safebelt.rooms.labelling.provenance.manifests import Manifests
from safebelt.rooms.labelling.provenance.text_manifests import NOT_ASKED, TEXT_KINDS
from safebelt.rooms.labelling.provenance.values import value_of
from safebelt.rooms.labelling.service.essence import Essence
from safebelt.rooms.labelling.service.signing import Signing, sign

if TYPE_CHECKING:
    from safebelt.rooms.certificates.service import Hand
    from safebelt.rooms.labelling.provenance.spoken import Spoken


_STAMPED = "C2PA, with time-stamp"


@dataclass(slots=True, kw_only=True)
class Work:
    """One file on its way: marks in what is seen, then label, then manifest, since each covers what came before it.

    Attributes:
        label: The label.
        marks: Which marks are wished for.
        lang: Language of a notice; empty for the content's own.
        hand: What signs; None for nothing.
        title: Name of the system, for the manifest.
        software: Name and version of what writes it.
        font: File of the notice's font.
        watermark: What the watermark carries, and its key; None for none.
        spoken: A recorded notice for a sound; None for the rhythm.
        is_text_signed: Whether a manifest may go into a text.
        stamp: Answers the query for a time-stamp on the manifest; None for none.
        put, left: What was put where, and what was left out, why.
    """

    label: AigcLabel
    marks: frozenset[Mark]
    lang: str
    hand: "Hand | None"
    title: str
    software: tuple[str, str]
    font: Path
    watermark: tuple[int, bytes] | None = None
    spoken: "Spoken | None" = None
    is_text_signed: bool = False
    stamp: Stamp | None = None
    put: dict[Mark, str] = field(default_factory=dict)
    left: dict[Mark, Text] = field(default_factory=dict)

    def on(self, file: int, data: Buffer, source: Path, draft: Path, out: Path) -> Marked:
        """Mark a file; leave the result in the draft.

        Raises:
            Broken: It is not whole.
            OSError: The draft cannot be written.
            Invalid: It is of no known format.
            Conflict: What was written could not be read back.
        """
        kind = sniff(data, source.name)
        if kind is None:
            raise unknown(source.name)
        if self.spoken is not None and kind not in scanning.HEARD:
            raise _not_spoken(kind)
        value = value_of(self.label)
        noted = self._noted(source, data, kind, draft)
        edit = self._labelled(noted, kind, value)
        if not self._is_signed(noted, edit, kind, draft):
            _write(file, data, noted, edit, draft)
        marked = self._read_back(draft, kind, value)
        if self.put.get(Mark.AIGC) == SIDECAR:
            beside = out.with_name(out.name + SIDECAR)
            beside.write_text(f'{{"AIGC":{value}}}\n', "utf-8")
            self.put[Mark.AIGC] = beside.name
        return marked

    def _noted(self, source: Path, data: Buffer, kind: Kind, draft: Path) -> Buffer:
        """Put in what people see and hear, and what they do not."""
        essence = Essence(
            marks=self.marks,
            lang=self.lang,
            font=self.font,
            watermark=self.watermark,
            spoken=self.spoken,
            put=self.put,
            left=self.left,
        )
        return essence.into(source, data, kind, draft)

    def _labelled(self, data: Buffer, kind: Kind, value: str) -> Edit:
        whole = [Span(0, len(data))]
        if Mark.AIGC not in self.marks:
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
        if Mark.C2PA not in self.marks or self.hand is None:
            return False
        if kind in TEXT_KINDS and not self.is_text_signed:
            self.left[Mark.C2PA] = NOT_ASKED
            return False
        what = Signing(label=self.label, hand=self.hand, title=self.title, software=self.software, stamp=self.stamp)
        try:
            with draft.open("w+b") as signed:
                sign(applied(data, edit), signed, kind, what)
        except Unwritable as no:
            self.left[Mark.C2PA] = no.why
            return False
        self.put[Mark.C2PA] = "C2PA" if self.stamp is None else _STAMPED
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
        self._hold_manifest(draft, kind)
        self._hold_watermark(draft, kind)
        lacking = decide.missing(self.label) if Mark.AIGC in self.put else ()
        return Marked(
            kind=kind.value, put=self.put, left_out=self.left, sha256=digest, size=size, lacking=tuple(lacking)
        )

    def _hold_manifest(self, draft: Path, kind: Kind) -> None:
        if Mark.C2PA not in self.put:
            return
        manifest = Manifests("").read(draft, kind)
        is_there = manifest is not None and manifest.is_bound and manifest.is_signed
        if not is_there or (self.stamp is not None and not (manifest and manifest.is_stamped)):
            raise _not_read_back(Mark.C2PA)

    def _hold_watermark(self, draft: Path, kind: Kind) -> None:
        """Say so where a watermark was put and does not come through the content's own encoding."""
        if Mark.WATERMARK not in self.put or self.watermark is None:
            return
        ident, key = self.watermark
        with files.opened(draft) as (_, data):
            is_there = scanning.ident_in(draft, data, kind, key) == ident
        if not is_there:
            raise _not_read_back(Mark.WATERMARK)


def done(work: "Work", source: Path, out: Path) -> Marked:
    """Mark a file; whatever fails is said as a problem.

    Raises:
        NotFound, Invalid, Conflict, Unavailable: As `Marking.mark`.
    """
    try:
        with files.opened(source) as (file, data), files.draft_of(out) as draft:
            return work.on(file, data, source, draft, out)
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


def _write(file: int, data: Buffer, noted: Buffer, edit: Edit, draft: Path) -> None:
    if noted is data:
        files.write(file, edit, draft)
    else:
        draft.write_bytes(applied(noted, edit))


def unknown(name: str) -> Invalid:
    """Return what to raise for a file of no known format."""
    return Invalid(
        what=Text(zh=f"“{name}”的格式不在支持之列。", en=f"{name!r} is of no format that is known here."),
        hint=Text(
            zh="用 safebelt labelling formats 查看支持的格式。", en="safebelt labelling formats lists those that are."
        ),
        details={"field": "file"},
    )


def _not_spoken(kind: Kind) -> Invalid:
    return Invalid(
        what=Text(
            zh=f"语音提示只加在声音之前，{kind.value} 不是声音。",
            en=f"Only a sound takes a spoken notice, and {kind.value} is none.",
        ),
        hint=Text(
            zh="请去掉录音；可见提示用 --explicit。", en="Leave the recording out; --explicit puts a visible one."
        ),
        details={"field": "spoken"},
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
