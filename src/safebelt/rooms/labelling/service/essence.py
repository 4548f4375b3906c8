"""Marks in what is seen and heard: notice and watermark, each where the format is taken apart here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats import files
from safebelt.rooms.labelling.formats.carrier import Broken, Buffer, Unwritable
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.model import Mark
from safebelt.rooms.labelling.provenance import corners, faces, ffmpeg, films, gifs, notices, scanning, sound, sound_aac
from safebelt.rooms.labelling.provenance.pixels import RASTER, decoded, encoded, not_here

if TYPE_CHECKING:
    from safebelt.rooms.labelling.provenance.spoken import Spoken

NOTICE_SECONDS = 3.0
"""How long a film shows the notice, from its first frame: GB 45438-2025 5.4 asks for two seconds or more."""
_RHYTHM_PLACE, _SPOKEN_PLACE, _FILM_PLACE = "rhythm: beginning", "spoken notice: beginning", "{}, first {:.0f} s"
_HERE = frozenset({Mark.EXPLICIT, Mark.WATERMARK})
NOT_READ_BACK = Text(
    zh="加入的水印在成品中读不出来（内容太短、太安静、变化太少或太粗糙），因此没有加水印。",
    en="The watermark could not be read back out of the result: too short, quiet, plain or rough. It has none.",
)
Samples = NDArray[np.float32]


@dataclass(slots=True, kw_only=True)
class Essence:
    """What one content is to carry in itself.

    Attributes:
        marks: Which marks are wished for; others than notice and watermark are not looked at.
        lang: Language of a notice; empty for the content's own.
        font: File of the notice's font.
        watermark: What the watermark carries, and its key; None for none.
        spoken: A recorded notice, which stands before a sound in the rhythm's place; None for the rhythm.
        put, left: What was put where, and what was left out, why.
    """

    marks: frozenset[Mark]
    lang: str
    font: Path
    watermark: tuple[int, bytes] | None
    spoken: "Spoken | None" = None
    put: dict[Mark, str] = field(default_factory=dict)
    left: dict[Mark, Text] = field(default_factory=dict)

    def into(self, source: Path, data: Buffer, kind: Kind, beside: Path) -> Buffer:
        """Return a content with the marks, or as it was where it takes none.

        Args:
            source: Its file.
            data: Its bytes.
            kind: Its format.
            beside: A file on the disk where the result will stand.

        Raises:
            Broken: A picture or text is not whole.
        """
        if not self.marks & _HERE:
            return data
        if kind in RASTER:
            return self._drawn(data, kind)
        if kind is Kind.GIF:
            return self._animated(data, kind)
        if kind in scanning.SCANNED:
            return self._recoded(source, data, kind, beside)
        return self._noted(data, kind)

    def _leave(self, why: Text) -> None:
        self.left |= dict.fromkeys(self.marks & _HERE, why)

    def _noted(self, data: Buffer, kind: Kind) -> Buffer:
        if Mark.WATERMARK in self.marks:
            self.left[Mark.WATERMARK] = not_here(kind)
        if Mark.EXPLICIT not in self.marks:
            return data
        try:
            noted, self.put[Mark.EXPLICIT] = notices.put(data, kind, self.lang, self.font)
        except Unwritable as no:
            self.left[Mark.EXPLICIT] = no.why
            return data
        return noted

    # -------------------------------------------------------------------------------------------- pictures

    def _drawn(self, data: Buffer, kind: Kind) -> Buffer:
        """Change the picture itself, which costs it one more encoding."""
        try:
            picture = decoded(data, kind)
        except Unwritable as no:
            self._leave(no.why)
            return data
        rgb = self._watermarked(picture.rgb)
        if Mark.EXPLICIT in self.marks:
            try:
                rgb, self.put[Mark.EXPLICIT] = corners.put(rgb, self.lang, self.font)
            except Unwritable as no:
                self.left[Mark.EXPLICIT] = no.why
        if rgb is picture.rgb:
            return data
        try:
            return encoded(picture, rgb, kind)
        except Unwritable as no:
            self.put.clear()
            self._leave(no.why)
            return data

    def _animated(self, data: Buffer, kind: Kind) -> Buffer:
        """Draw the notice in every picture of a GIF; 256 colours hold no watermark."""
        if Mark.WATERMARK in self.marks:
            self.left[Mark.WATERMARK] = not_here(kind)
        if Mark.EXPLICIT not in self.marks:
            return data
        try:
            made, self.put[Mark.EXPLICIT] = gifs.put(data, self.lang, self.font)
        except Unwritable as no:
            self.left[Mark.EXPLICIT] = no.why
            return data
        return made

    def _watermarked(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self.watermark is None:
            return rgb
        from safebelt.rooms.labelling.watermark import image  # noqa: PLC0415  30 MB, and only for pictures

        ident, key = self.watermark
        try:
            marked = image.embed(rgb, ident, key)
        except ValueError as error:
            self.left[Mark.WATERMARK] = Text(zh=f"图片不适合加水印：{error}", en=f"It takes no watermark: {error}.")
            return rgb
        self.put[Mark.WATERMARK] = f"{ident:016x}"
        return marked

    # -------------------------------------------------------------------------------------------- sound and films

    def _recoded(self, source: Path, data: Buffer, kind: Kind, beside: Path) -> Buffer:
        """Change a sound or a film, and hold that the watermark comes through its own encoding."""
        try:
            made = self._coded(source, data, kind, beside)
        except Unwritable as no:
            self._leave(no.why)
            return data
        except (Broken, ValueError) as error:
            self._leave(Text(zh=f"内容无法在此解码：{error}", en=f"It cannot be decoded here: {error}."))
            return data
        if Mark.WATERMARK in self.put and not self._is_read_back(made, kind, beside):
            del self.put[Mark.WATERMARK]
            self.left[Mark.WATERMARK] = NOT_READ_BACK
        return made if self.put.keys() & _HERE else data

    def _coded(self, source: Path, data: Buffer, kind: Kind, beside: Path) -> bytes:
        if kind in sound.SOUNDS:
            with sound.Opened(data, kind) as opened:
                sound.hold_writable(opened, data)
                begins = self._rhythm(source, data, kind, opened.sound.rate, opened.sound.channels)
                return sound.encoded(self._heard(begins, opened.blocks(), opened.sound.rate), opened, data, kind)
        with ffmpeg.scratch(beside) as made:
            if kind is Kind.M4A:
                track = sound_aac.probed(source)
                begins = self._rhythm(source, data, kind, track.rate, track.channels)
                sound_aac.encoded(source, track, lambda blocks: self._heard(begins, blocks, track.rate), made)
            else:
                film = films.probed(source, kind)
                films.hold_writable(film)
                films.encoded(source, kind, film, _Shown(self, film, self._opening(source, kind, film)), made)
            return made.read_bytes()

    def _opening(self, source: Path, kind: Kind, film: films.Film) -> list[films.Luma]:
        """Return what is seen of a film while it shows the notice, which is to stand over no face of it."""
        if Mark.EXPLICIT not in self.marks:
            return []
        return films.opening(source, kind, film, NOTICE_SECONDS, faces.SIDE)

    def _rhythm(self, source: Path, data: Buffer, kind: Kind, rate: int, channels: int) -> list[Samples]:
        """Return what is put before a sound: recorded words, or the rhythm where it is not there yet."""
        from safebelt.rooms.labelling.provenance import rhythm  # noqa: PLC0415  only where sound is marked

        if Mark.EXPLICIT not in self.marks:
            return []
        if self.spoken is not None:
            self.put[Mark.EXPLICIT] = _SPOKEN_PLACE
            return [self.spoken.played(rate, channels)]
        self.put[Mark.EXPLICIT] = _RHYTHM_PLACE
        return [] if scanning.has_rhythm(source, data, kind) else [rhythm.played(rate, channels)]

    def _heard(self, begins: list[Samples], blocks: Iterator[Samples], rate: int) -> Iterator[Samples]:
        whole = chain(begins, blocks)
        if self.watermark is None:
            return whole
        from safebelt.rooms.labelling.watermark import audio  # noqa: PLC0415  30 MB, and only for sound

        ident, key = self.watermark
        self.put[Mark.WATERMARK] = f"{ident:016x}"
        return audio.embed_blocks(whole, rate, ident, key)

    def _is_read_back(self, made: bytes, kind: Kind, beside: Path) -> bool:
        assert self.watermark is not None  # noqa: S101  it was put
        ident, key = self.watermark
        with ffmpeg.scratch(beside) as path:
            path.write_bytes(made)
            with files.opened(path) as (_, data):
                try:
                    return scanning.ident_in(path, data, kind, key) == ident
                except (Unwritable, Broken):
                    return False


class _Shown:
    """Changes the frames of a film: the watermark in all of them, the notice in the first.

    Args:
        essence: What is wished for, and where it is said what was put.
        film: What it is.
        opening: Some frames of the time for which the notice is shown.
    """

    def __init__(self, essence: Essence, film: films.Film, opening: Sequence[films.Luma]) -> None:
        self._essence, self._opening = essence, opening
        self._until = NOTICE_SECONDS * film.rate
        self._levels = (0, 255) if film.video.get("color_range") == "pc" else (16, 235)  # ITU-R BT.601, 2.5.1
        self._marks = essence.marks & _HERE
        self._corner: corners.Corner | None = None

    def __call__(self, number: int, luma: films.Luma) -> films.Luma:
        """Return a frame changed.

        Raises:
            Unwritable: It takes no mark at all.
        """
        if Mark.WATERMARK in self._marks:
            luma = self._watermarked(luma)
        if not number:
            self._choose(luma)
        if self._corner is not None and number < self._until:
            luma = self._corner.drawn(luma, self._levels)
        return luma

    def _watermarked(self, luma: films.Luma) -> films.Luma:
        from safebelt.rooms.labelling.watermark import video  # noqa: PLC0415  30 MB, and only for films

        if self._essence.watermark is None:
            return luma
        ident, key = self._essence.watermark
        try:
            marked = video.embed_luma(luma, ident, key)
        except ValueError as error:
            self._marks -= {Mark.WATERMARK}
            self._essence.left[Mark.WATERMARK] = Text(
                zh=f"画面不适合加水印：{error}", en=f"It takes no watermark: {error}."
            )
            return luma
        self._essence.put[Mark.WATERMARK] = f"{ident:016x}"
        return marked

    def _choose(self, luma: films.Luma) -> None:
        """Find the notice's place in the first frames, so that it stands still."""
        if Mark.EXPLICIT in self._marks:
            shown = np.repeat(luma[..., None], 3, axis=2)
            try:
                self._corner = corners.chosen(shown, self._essence.lang, self._essence.font, self._opening)
            except Unwritable as no:
                self._essence.left[Mark.EXPLICIT] = no.why
                self._marks -= {Mark.EXPLICIT}
            else:
                self._essence.put[Mark.EXPLICIT] = _FILM_PLACE.format(self._corner.name, NOTICE_SECONDS)
        if not self._marks:
            raise Unwritable(self._essence.left[min(self._essence.left)])
