"""Marking files: notice, label and signed manifest, each where its format has a place for it, and all read back."""

import hashlib
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Problem
from safebelt.kernel.text import Text
from safebelt.rooms.labelling import decide, store
from safebelt.rooms.labelling.decide import likeness
from safebelt.rooms.labelling.formats import files
from safebelt.rooms.labelling.formats.carrier import Broken, Edit, Unwritable, applied
from safebelt.rooms.labelling.formats.kinds import MEDIA_TYPES, Kind, carrier_of, sniff
from safebelt.rooms.labelling.model import AigcLabel, Generation, Mark, Marked
from safebelt.rooms.labelling.model.events import ContentMarked, Remembered
from safebelt.rooms.labelling.model.likeness import Fingerprint
from safebelt.rooms.labelling.provenance import integrity
from safebelt.rooms.labelling.provenance.manifests import SIGNED_KINDS, Manifests
from safebelt.rooms.labelling.provenance.values import value_of
from safebelt.rooms.labelling.service.base import FONT, MAX_IDENT, Furnished
from safebelt.rooms.labelling.service.likeness import fingerprint_of
from safebelt.rooms.labelling.service.signing import Signing, signed
from safebelt.rooms.labelling.service.working import Work, done

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import sqlalchemy as sa

    from safebelt.rooms.certificates.service import Hand
    from safebelt.rooms.labelling.provenance.spoken import Spoken

    Also = Callable[[sa.Connection, Remembered], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkFile:
    """What to put on a file.

    Attributes:
        system_id: What made the content; empty where no registered system did, and then nothing is signed.
        marks: Which marks are wished for.
        generation: What the label says.
        lang: Language of a notice; empty for the content's own.
        is_text_signed: Whether a signed manifest may go into a text, which grows by it.
        is_stamped: Whether this house's time-stamp goes into a signed manifest.
        spoken: WAV file with a notice that somebody recorded, for a sound; None for the rhythm.
    """

    system_id: str = ""
    marks: frozenset[Mark] = frozenset({Mark.AIGC, Mark.C2PA, Mark.EXPLICIT})
    generation: Generation = Generation.GENERATED
    lang: str = ""
    is_text_signed: bool = False
    is_stamped: bool = False
    spoken: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedBytes:
    """A marked content in memory.

    Attributes:
        data: The content.
        kind: Its format.
        media_type: As HTTP names it.
        sha256: Its digest, hexadecimal.
        put: Names of the marks on it.
        left_out: Each mark that was wished for and is not on it, with why.
        ident: What its watermark carries; None where it has none.
    """

    data: bytes
    kind: str
    media_type: str
    sha256: str
    put: frozenset[str]
    left_out: "Mapping[str, Text]" = field(default_factory=dict)
    ident: int | None = None


class CannotMark(Exception):  # noqa: N818  it says what cannot be done
    """A content takes no mark here; the message says why, in English."""


TIME_STAMP = "time_stamp"
"""What a time-stamp is called among the marks on a content; it stands in the manifest."""
_ASK_AGAIN_SECONDS = 60.0
"""How long it is taken for granted that no time-stamp can be had."""
_NOT_STAMPED = Text(
    zh="时间戳未能读回，因此清单没有时间戳。", en="The time-stamp could not be read back: the manifest has none."
)

_NOBODY_STAMPS = Text(zh="此处没有时间戳签署者。", en="Nobody is here who puts time-stamps.")


def _names_of(is_signed: bool, is_stamped: bool) -> tuple[str, ...]:
    if not is_signed:
        return ()
    return (Mark.C2PA.value, TIME_STAMP) if is_stamped else (Mark.C2PA.value,)


class Marking(Furnished):
    """Marks files."""

    _unstamped: tuple[float, Text] | None = None

    def mark_bytes(
        self, data: bytes, produce_id: str, system_id: str, uscc: str = "", *, is_stamped: bool = False
    ) -> MarkedBytes:
        """Mark a content on its way: label, and a manifest where the system's hand is at hand.

        Nothing is remembered here: who passes it on keeps the record that the label names.

        Args:
            data: The content.
            produce_id: Id of that record.
            system_id: What made the content.
            uscc: Unified social credit code of that system's provider; empty where it bears none.
            is_stamped: Whether a manifest gets this house's time-stamp.  Where none can be had, it has none, which is
                said in `left_out`.

        Raises:
            CannotMark: It is of no format that carries a label, or damaged.
        """
        kind = sniff(data)
        if kind is None:
            raise CannotMark("a content of no known format")
        hand = self.hand_at_hand(system_id)
        label = self._label(produce_id, Generation.GENERATED, hand, uscc)
        try:
            edit = carrier_of(kind).write(data, value := value_of(label))
            manifested, unstamped = self._manifested(data, edit, kind, self._signing(label, hand), is_stamped)
            made = manifested or applied(data, edit)
            if [one.value for one in carrier_of(kind).read(made)] != [value]:
                raise CannotMark("a label that could not be read back")
        except (Broken, Unwritable) as no:
            raise CannotMark(str(no)) from no
        return MarkedBytes(
            data=made,
            kind=kind.value,
            media_type=MEDIA_TYPES[kind],
            sha256=hashlib.sha256(made).hexdigest(),
            put=frozenset({Mark.AIGC.value, *_names_of(bool(manifested), is_stamped and unstamped is None)}),
            left_out={TIME_STAMP: unstamped} if manifested and unstamped is not None else {},
        )

    def _manifested(
        self, data: bytes, edit: Edit, kind: Kind, what: Signing | None, is_stamped: bool
    ) -> tuple[bytes, Text | None]:
        """Return a content with a manifest, if it gets one; and why that has no time-stamp, where one was wished for.

        Raises:
            Unwritable, Broken: As `Manifests.sign`.
        """
        if not is_stamped or what is None or kind not in SIGNED_KINDS:
            return _signed(data, edit, kind, what), None
        why = self._no_stamp()
        if why is None:
            try:
                stamped = _signed(data, edit, kind, replace(what, stamp=self.desk.certificates.stamp))
                found = Manifests("").read_from(BytesIO(stamped), kind)
                if found is not None and found.is_stamped:
                    return stamped, None
                why = _NOT_STAMPED
            except Problem as problem:
                why = Text(zh=problem.in_("zh"), en=problem.in_("en"))
            except Broken:  # of a reply that is none, or of the content, which then shows again without a stamp
                why = _NOT_STAMPED
            self._unstamped = monotonic(), why
        return _signed(data, edit, kind, what), why

    def _no_stamp(self) -> Text | None:
        """Return why no time-stamp could be had a moment ago: who stamps is not asked again for each content."""
        if self._furnish is None:
            return _NOBODY_STAMPS
        if self._unstamped is not None and monotonic() - self._unstamped[0] < _ASK_AGAIN_SECONDS:
            return self._unstamped[1]
        return None

    def _signing(self, label: AigcLabel, hand: "Hand | None") -> Signing | None:
        """Return what a manifest says of a content on its way; None where there is no hand."""
        if hand is None:
            return None
        return Signing(label=label, hand=hand, title=hand.system_id, software=self.software)

    def mark(self, source: Path, out: Path, cmd: MarkFile, *, by: Actor, also: "Also | None" = None) -> Marked:
        """Write a marked copy of a file, and remember that this house did.

        Args:
            source: The file.
            out: Where the marked one goes; may be the same.
            cmd: What to put on it.
            by: Who has it marked.
            also: What else is remembered in the same transaction.

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
        words = _recorded(cmd)
        ident = self.desk.new_id("mrk")
        hand, why_not = self._hand(cmd)
        drawn = int.from_bytes(self.desk.chance(8)) % MAX_IDENT  # by chance: it tells nothing but to who has the table
        has_watermark = Mark.WATERMARK in cmd.marks
        work = Work(
            label=self._label(ident, cmd.generation, hand, self.desk.provider_of(cmd.system_id)),
            marks=cmd.marks,
            lang=cmd.lang,
            hand=hand,
            title=title,
            software=self.software,
            font=self.desk.folder / FONT,
            spoken=words,
            is_text_signed=cmd.is_text_signed,
            stamp=self.desk.certificates.stamp if cmd.is_stamped else None,
            watermark=(drawn, self.desk.keyring.key(is_made=True)) if has_watermark else None,
        )
        if why_not is not None and Mark.C2PA in cmd.marks:
            work.left[Mark.C2PA] = why_not
        made = done(work, source, out)
        one = Remembered(
            id=ident,
            system_id=cmd.system_id,
            sha256=made.sha256,
            at=self.desk.clock(),
            entry_id="",
            ident=drawn if Mark.WATERMARK in made.put else None,
        )
        self._remember(one, made, hand.serial if hand else "", by, looks=_looks(out, made), also=also)
        return made

    def _hand(self, cmd: MarkFile) -> "tuple[Hand | None, Text | None]":
        if not cmd.system_id:
            return None, Text(zh="没有指明系统，因此不签名。", en="No system was named, so nothing is signed.")
        try:
            return self.desk.hand(cmd.system_id), None
        except Problem as problem:
            return None, Text(zh=problem.in_("zh"), en=problem.in_("en"))

    def _label(self, ident: str, generation: Generation, hand: "Hand | None", uscc: str) -> AigcLabel:
        """Make the label, signed where there is a hand."""
        label = decide.made(generation, provider_code=self.code_for(uscc), produce_id=ident)
        if hand is None:
            return label
        said = label.as_object()
        code = integrity.reserved_code(said, algorithm=hand.identifier, serial=hand.serial, sign=hand.sign)
        return replace(label, reserved_code1=code)

    def _remember(
        self,
        one: Remembered,
        made: Marked,
        serial: str,
        by: Actor,
        *,
        looks: Fingerprint | None,
        also: "Also | None",
    ) -> None:
        event = ContentMarked(
            subject=one.id,
            system_id=one.system_id,
            file_kind=made.kind,
            sha256=made.sha256,
            marks=tuple(sorted(mark.value for mark in made.put)),
            serial=serial,
        )
        with self.desk.sql.begin() as tx:
            store.insert(tx, replace(one, entry_id=self.desk.ledger.append(tx, event, by=by)))
            if looks is not None:
                store.insert_likeness(tx, one.id, looks.bits, likeness.slots(looks))
            if also is not None:
                also(tx, one)


def _recorded(cmd: MarkFile) -> "Spoken | None":
    """Return the notice that was recorded; raises Invalid where it cannot be heard as one, or none is put."""
    if cmd.spoken is None:
        return None
    from safebelt.rooms.labelling.provenance import spoken  # noqa: PLC0415  30 MB, and only where words are recorded

    return spoken.recorded(cmd.spoken)


def _looks(out: Path, made: Marked) -> Fingerprint | None:
    """Return the fingerprint of a finished file, as a check of it or of its like will see it."""
    try:
        with files.opened(out) as (_, data):
            return fingerprint_of(Kind(made.kind), data)
    except OSError:
        return None


def _signed(data: bytes, edit: Edit, kind: Kind, what: Signing | None) -> bytes:
    """Return an edited content with a manifest; nothing where nobody signs, or the format takes none."""
    return b"" if what is None or kind not in SIGNED_KINDS else signed(data, kind, what, edit)
