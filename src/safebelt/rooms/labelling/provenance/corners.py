"""A visible notice in a picture: large enough, in contrast to what is behind it, over no face, over little detail.

It stands in a corner; where every corner shows a face, at the middle of an edge; where all of these do as well, where
it covers least of them, which is said.  Faces from the side or tilted are mostly not found (`faces`).

GB 45438-2025 5.2: text with both elements, at an edge or corner, at least 5 % of the shortest side high.  What *high*
means is not said; the height of the glyphs' ink is the least any reading comes to, so that is measured, with a margin.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats.carrier import Unwritable
from safebelt.rooms.labelling.provenance import faces

LEASTHEIGHT = 0.05
"""Of the shortest side (GB 45438-2025 5.2)."""
LEAST_SIDE = 100
"""Shortest side in pixels for which a twentieth can be read at all."""
HEIGHT = 0.056  # with a margin for rounding and rendering
MARGIN, PADDING = 0.02, 0.35  # of the shortest side; of the text's height
WORDS = {"zh": "人工智能生成", "en": "AI generated"}
"""Both elements, in each language: 人工智能 or AI, and 生成 or *generated*."""
_LIGHT = 128
_PLATE = 0.6  # how much of the plate behind the text covers what was there
_DETAIL_STEP = 24.0  # grey levels: smaller differences do not move it from its usual corner
CASCADE = "faces/frontal.xml"
"""What faces are found with: in the room's own data, as the font is, whose folder lies beside."""
OVER_A_FACE, NOT_LOOKED = ", partly over a face", ", faces not looked for"
_COVERS = 2  # decimals of the part that lies over faces: a hundredth of the notice is no difference
_CORNERS = 4  # places that come before the others
Pixels = NDArray[np.uint8]


def put(rgb: Pixels, lang: str, font: Path) -> tuple[Pixels, str]:
    """Return a picture with the notice where it covers least, and where that is.

    Args:
        rgb: Shape (height, width, 3).
        lang: `zh` or `en`.
        font: A font file that has the words' glyphs.

    Raises:
        Unwritable: The picture is too small.
    """
    corner = chosen(rgb, lang, font)
    return corner.drawn(rgb), corner.name


@dataclass(frozen=True, slots=True)
class Corner:
    """A notice and where it goes, so that it stands still in a film.

    Attributes:
        name: Which corner or edge, and whether a face is there.
        top, left: Of its plate.
        mask: The words, 255 where there is ink.
        pad: Pixels of the plate around them.
        is_dark: Whether the ink is.
    """

    name: str
    top: int
    left: int
    mask: Pixels
    pad: int
    is_dark: bool

    def words(self) -> Pixels:
        """Return the words on their plate, from black to white, with nothing of what is behind."""
        plate = np.pad(self.mask, self.pad)
        return 255 - plate if self.is_dark else plate

    def drawn(self, picture: Pixels, levels: tuple[int, int] = (0, 255)) -> Pixels:
        """Return a picture with it.

        Args:
            picture: Shape (height, width, 3); or its brightness alone, shape (height, width).
            levels: What black and white are in it.
        """
        out = picture.copy()
        rows, columns = self.mask.shape[0] + 2 * self.pad, self.mask.shape[1] + 2 * self.pad
        region = out[self.top : self.top + rows, self.left : self.left + columns].astype(np.float32)
        ink, plate = levels if self.is_dark else levels[::-1]
        region = region * (1 - _PLATE) + plate * _PLATE
        alpha = self.mask.astype(np.float32) / 255
        alpha = alpha[..., None] if picture.ndim == 3 else alpha
        inner = region[self.pad : rows - self.pad, self.pad : columns - self.pad]
        region[self.pad : rows - self.pad, self.pad : columns - self.pad] = inner * (1 - alpha) + ink * alpha
        out[self.top : self.top + rows, self.left : self.left + columns] = np.rint(region).astype(np.uint8)
        return out


def chosen(rgb: Pixels, lang: str, font: Path, also: Sequence[Pixels] = ()) -> Corner:
    """Return the notice for a picture, where it covers no face and least detail.

    Args:
        rgb: Shape (height, width, 3).
        lang: `zh` or `en`.
        font: A font file that has the words' glyphs.
        also: Other pictures over which it will stand, of any size, or as brightness alone: faces in them count.

    Raises:
        Unwritable: The picture is too small.
    """
    mask = inked(WORDS["zh" if lang == "zh" else "en"], round(HEIGHT * min(rgb.shape[:2]) + 0.5), font)
    pad = max(2, round(PADDING * mask.shape[0]))
    box = mask.shape[0] + 2 * pad, mask.shape[1] + 2 * pad
    if box[0] > rgb.shape[0] or box[1] > rgb.shape[1] or min(rgb.shape[:2]) < LEAST_SIDE:
        raise Unwritable(
            Text(
                zh="图片太小，放不下清晰可辨的提示；请在图片旁边显示。",
                en="The picture is too small for a notice that can be read: show it beside the picture.",
            )
        )
    place = _place(rgb, box, [rgb, *also], font)
    region = rgb[place.top : place.top + box[0], place.left : place.left + box[1]]
    return Corner(place.name, place.top, place.left, mask, pad, is_dark=float(region.mean()) >= _LIGHT)


def inked(words: str, least: int, font: Path) -> Pixels:
    """Return the words as a mask whose every glyph's ink is at least so many pixels high, cut to the ink."""
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415  only where pictures are marked

    size = least
    while _ink(words, size, font) < least:
        size += 1
    face = ImageFont.truetype(str(font), size)
    left, top, right, bottom = face.getbbox(words)
    image = Image.new("L", (round(right - left) + 2, round(bottom - top) + 2), 0)
    ImageDraw.Draw(image).text((1 - left, 1 - top), words, fill=255, font=face)
    return np.asarray(image, dtype=np.uint8)


@lru_cache(maxsize=64)
def _ink(words: str, size: int, font: Path) -> int:
    """Return the height of the least high of the glyphs that have full height: capitals, or characters."""
    from PIL import ImageFont  # noqa: PLC0415  as above

    face = ImageFont.truetype(str(font), size)
    full = [char for char in words if char.isupper() or "\u4e00" <= char <= "\u9fff"]
    boxes = [face.getbbox(char) for char in full]
    return int(min(bottom - top for _, top, _, bottom in boxes))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a notice may stand."""

    name: str
    top: int
    left: int


def places(height: int, width: int, box: tuple[int, int]) -> list[_Place]:
    """Return where a box may stand in a picture, in the order in which readers look: corners, then edges.

    GB 45438-2025 5.2 allows edges and corners; 5.4 leaves the place in a film open.
    """
    margin = round(MARGIN * min(height, width))
    bottom, right = max(0, height - box[0] - margin), max(0, width - box[1] - margin)
    top, left = min(margin, bottom), min(margin, right)
    across, down = (width - box[1]) // 2, (height - box[0]) // 2
    return [
        _Place("bottom right", bottom, right),
        _Place("bottom left", bottom, left),
        _Place("top right", top, right),
        _Place("top left", top, left),
        _Place("bottom", bottom, across),
        _Place("top", top, across),
        _Place("right", down, right),
        _Place("left", down, left),
    ]


def _place(rgb: Pixels, box: tuple[int, int], shown: Sequence[Pixels], font: Path) -> _Place:
    """Return the place in which a box covers least of a face, then least detail; among equals, where readers look."""
    known = places(rgb.shape[0], rgb.shape[1], box)
    boxes = [(one.top, one.left, one.top + box[0], one.left + box[1]) for one in known]

    def least(some: range, covered: Sequence[float]) -> int:
        def detail(one: int) -> int:
            part = rgb[boxes[one][0] : boxes[one][2], boxes[one][1] : boxes[one][3]].mean(axis=2)
            return round(float(part.std()) / _DETAIL_STEP)

        return min(some, key=lambda one: (covered[one], detail(one)))

    corners, edges, covered = range(_CORNERS), range(_CORNERS, len(known)), [0.0] * len(known)
    try:
        for some in (corners, edges):
            _cover(covered, boxes, some, shown, font.parents[1] / CASCADE)
            best = least(some, covered)
            if not covered[best]:
                return known[best]
    except OSError:
        best = least(corners, covered)
        return replace(known[best], name=known[best].name + NOT_LOOKED)
    best = least(range(len(known)), covered)
    return replace(known[best], name=known[best].name + OVER_A_FACE)


def _cover(
    covered: list[float], boxes: Sequence[faces.Box], some: range, shown: Sequence[Pixels], cascade: Path
) -> None:
    """Note which part of some boxes lies over faces."""
    seen = [
        _scaled(face, shown[0], one)
        for one in shown
        for face in faces.found(one, [_scaled(boxes[each], one, shown[0]) for each in some], cascade)
    ]
    for each in some:
        covered[each] = round(faces.part_covered(boxes[each], seen), _COVERS)


def _scaled(box: faces.Box, to: Pixels, of: Pixels) -> faces.Box:
    """Return where a box of one picture lies in another of the same view."""
    down, across = to.shape[0] / of.shape[0], to.shape[1] / of.shape[1]
    return round(box[0] * down), round(box[1] * across), round(box[2] * down), round(box[3] * across)
