"""A visible notice in the corner of a picture: large enough, in contrast to what is behind it, over little detail.

Faces and other things that matter are busy, so that the corner with the least detail avoids them where one can; they
are not looked for as such.

GB 45438-2025 5.2: text with both elements, at an edge or corner, at least 5 % of the shortest side high.  What *high*
means is not said; the height of the glyphs' ink is the least any reading comes to, so that is measured, with a margin.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats.carrier import Unwritable

LEAST_HEIGHT = 0.05
"""Of the shortest side (GB 45438-2025 5.2)."""
LEAST_SIDE = 100
"""Shortest side in pixels for which a twentieth can be read at all."""
_HEIGHT = 0.056  # with a margin for rounding and rendering
_MARGIN, _PADDING = 0.02, 0.35  # of the shortest side; of the text's height
WORDS = {"zh": "人工智能生成", "en": "AI generated"}
"""Both elements, in each language: 人工智能 or AI, and 生成 or *generated*."""
_LIGHT = 128
_PLATE = 0.6  # how much of the plate behind the text covers what was there
_DETAIL_STEP = 24.0  # grey levels: smaller differences do not move it from its usual corner
Pixels = NDArray[np.uint8]


def put(rgb: Pixels, lang: str, font: Path) -> tuple[Pixels, str]:
    """Return a picture with the notice in the corner where it covers least, and which corner that is.

    Args:
        rgb: Shape (height, width, 3).
        lang: `zh` or `en`.
        font: A font file that has the words' glyphs.

    Raises:
        Unwritable: The picture is too small.
    """
    mask = _text(WORDS["zh" if lang == "zh" else "en"], round(_HEIGHT * min(rgb.shape[:2]) + 0.5), font)
    pad = max(2, round(_PADDING * mask.shape[0]))
    box = mask.shape[0] + 2 * pad, mask.shape[1] + 2 * pad
    if box[0] > rgb.shape[0] or box[1] > rgb.shape[1] or min(rgb.shape[:2]) < LEAST_SIDE:
        raise Unwritable(
            Text(
                zh="图片太小，放不下清晰可辨的提示；请在图片旁边显示。",
                en="The picture is too small for a notice that can be read: show it beside the picture.",
            )
        )
    name, (top, left) = _corner(rgb, box)
    out = rgb.copy()
    region = out[top : top + box[0], left : left + box[1]].astype(np.float32)
    ink, plate = (0, 255) if float(region.mean()) >= _LIGHT else (255, 0)
    region = region * (1 - _PLATE) + plate * _PLATE
    alpha = mask[..., None].astype(np.float32) / 255
    inner = region[pad : box[0] - pad, pad : box[1] - pad]
    region[pad : box[0] - pad, pad : box[1] - pad] = inner * (1 - alpha) + ink * alpha
    out[top : top + box[0], left : left + box[1]] = np.rint(region).astype(np.uint8)
    return out, name


def _text(words: str, least: int, font: Path) -> Pixels:
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


def _corner(rgb: Pixels, box: tuple[int, int]) -> tuple[str, tuple[int, int]]:
    """Return the corner in which a box covers least detail; among equals, where readers look."""
    height, width = rgb.shape[:2]
    margin = round(_MARGIN * min(height, width))
    bottom, right = max(0, height - box[0] - margin), max(0, width - box[1] - margin)
    top, left = min(margin, bottom), min(margin, right)
    corners = {
        "bottom right": (bottom, right),
        "bottom left": (bottom, left),
        "top right": (top, right),
        "top left": (top, left),
    }

    def covers(at: tuple[int, int]) -> int:
        part = rgb[at[0] : at[0] + box[0], at[1] : at[1] + box[1]].mean(axis=2)
        return round(float(part.std()) / _DETAIL_STEP)

    name = min(corners, key=lambda one: covers(corners[one]))
    return name, corners[name]
