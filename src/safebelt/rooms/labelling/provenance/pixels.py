"""Pictures as arrays, and back into their own format with their own settings: for marks that are in the picture itself.

Such a mark costs one more encoding.  A JPEG is encoded with the tables and sampling it came with; colour profile, EXIF,
resolution and transparency stay.  Decoding is Pillow's; whatever it refuses is refused here.
"""

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats.carrier import Broken, Buffer, Unwritable
from safebelt.rooms.labelling.formats.kinds import Kind

if TYPE_CHECKING:
    from PIL import Image
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

RASTER = frozenset({Kind.JPEG, Kind.PNG, Kind.WEBP, Kind.TIFF, Kind.AVIF})
"""What is decoded and encoded again."""
MAX_PIXELS = 60_000_000
_WEBP_QUALITY = 92  # its own setting is not in the file
_AVIF_QUALITY = 92  # as above
_KEPT = ("icc_profile", "exif", "dpi")
_TIFF_KEPT = (270, 271, 272, 274, 305, 306, 315, 316, 700, 33432, 33723)
"""Fields of TIFF that say something of the picture (TIFF 6.0, section 8; XMP part 3, 1.1.6; IPTC)."""
_TIFF_LOST = (330, 34665, 34853)
"""Fields that lead to more: other pictures, EXIF and places.  They would point to nowhere."""
_DEEP_AV1 = re.compile(rb"av1C\x81.[\x40-\x7f\xc0-\xff]", re.DOTALL)
"""AV1 of more than 8 bits, by the flag `high_bitdepth` (AV1 in ISOBMFF, 2.3.3): it would come out with 8."""


NO_HEIC = Text(
    zh="heic 图片不在画面内加标识：写入需要 HEVC 编码器，可用的都以 GPL 发布，本软件不附带。"
    "请先转换成 JPEG、PNG 或 AVIF 再加注，或在图片旁边显示提示。",
    en="No mark is put into what heic files show: whoever writes one needs an HEVC encoder, and those that can be had "
    "are under the GPL, so none is shipped here. Convert it to JPEG, PNG or AVIF and mark that, or show a notice "
    "beside it.",
)
"""libheif writes HEIC with x265 (GPL 2); wheels that read HEIC in Python come with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A decoded picture.

    Attributes:
        rgb: Red, green, blue, 8 bits, shape (height, width, 3).
        alpha: Its transparency; None where it has none.
        is_grey: It was grey.
        settings: How it is to be encoded again.
    """

    rgb: NDArray[np.uint8]
    alpha: "Image.Image | None"
    is_grey: bool
    settings: dict[str, Any]


def decoded(data: Buffer, kind: Kind) -> Picture:
    """Decode a picture.

    Raises:
        Unwritable: It is of a form that cannot be encoded again without loss of more than a mark: animated, of more
            than 8 bits, in the colours of print, or too large.
        Broken: It cannot be decoded.
    """
    from PIL import Image  # noqa: PLC0415  only where pictures are marked or looked into

    if kind not in RASTER:
        raise Unwritable(not_here(kind))
    try:
        image = Image.open(io.BytesIO(data), formats=[_NAMES[kind]])
        if image.width * image.height > MAX_PIXELS:
            raise Unwritable(Text(zh="图片过大。", en="The picture is too large."))
        if _loses(image, data, kind):
            raise Unwritable(
                Text(
                    zh="文件中还有会丢失的内容（其他图片、EXIF 目录或更高的位深），不重新编码。",
                    en="The file holds more than would be kept (other pictures, an EXIF directory, or more than 8 "
                    "bits), so it is not encoded again.",
                )
            )
        if getattr(image, "is_animated", False) or image.mode not in _MODES:
            raise Unwritable(
                Text(
                    zh="动画、印刷色或高位深的图片不在画面内加标识。",
                    en="Animated pictures, print colours and deep ones take no mark in the picture here.",
                )
            )
        settings = _settings(image, kind)
        image.load()
    except Unwritable:
        raise
    except Exception as error:  # Pillow's decoders raise whatever their bytes lead to
        raise Broken(f"a picture that cannot be decoded: {type(error).__name__}") from error
    has_alpha = "A" in image.mode or "transparency" in image.info
    alpha = image.convert("RGBA").getchannel("A") if has_alpha else None
    rgb = np.asarray(image.convert("RGB"), dtype=np.uint8)
    return Picture(rgb=rgb, alpha=alpha, is_grey=image.mode in ("L", "LA", "1"), settings=settings)


def encoded(picture: Picture, rgb: NDArray[np.uint8], kind: Kind) -> bytes:
    """Encode a changed picture as it was encoded before; raises Unwritable where that cannot be."""
    from PIL import Image  # noqa: PLC0415  as above

    image = Image.fromarray(rgb)
    if picture.is_grey and picture.alpha is None:
        image = image.convert("L")
    if picture.alpha is not None:
        image.putalpha(picture.alpha)
    out = io.BytesIO()
    try:
        image.save(out, _NAMES[kind], **picture.settings)
    except Exception as error:  # its settings are the file's, and encoders refuse them in ways of their own
        raise Unwritable(
            Text(
                zh=f"图片无法按原设置重新编码（{type(error).__name__}）。",
                en=f"The picture cannot be encoded again as it was ({type(error).__name__}).",
            )
        ) from error
    return out.getvalue()


_TEXTS = frozenset({Kind.TXT, Kind.MARKDOWN, Kind.HTML, Kind.JSON})
_NAMES = {Kind.JPEG: "JPEG", Kind.PNG: "PNG", Kind.WEBP: "WEBP", Kind.TIFF: "TIFF", Kind.AVIF: "AVIF"}
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")


def _settings(image: "Image.Image", kind: Kind) -> dict[str, Any]:
    settings: dict[str, Any] = {name: image.info[name] for name in _KEPT if image.info.get(name)}
    if kind is Kind.JPEG:
        from PIL.JpegImagePlugin import get_sampling  # noqa: PLC0415  as above

        sampling = get_sampling(image)
        settings |= {"qtables": image.quantization} | ({"subsampling": sampling} if sampling >= 0 else {})  # type: ignore[attr-defined]
    elif kind is Kind.WEBP:
        settings["quality"] = _WEBP_QUALITY
        settings["lossless"] = False
    elif kind is Kind.TIFF:
        how = image.info.get("compression", "raw")
        settings |= {"compression": how, "tiffinfo": _tags(image)} | ({"quality": 95} if how == "jpeg" else {})
    elif kind is Kind.AVIF:
        more = {"xmp": image.info["xmp"]} if image.info.get("xmp") else {}
        settings |= {"quality": _AVIF_QUALITY, "subsampling": "4:4:4", "speed": 8, **more}
    return settings


def _tags(image: "Image.Image") -> "ImageFileDirectory_v2":
    from PIL.TiffImagePlugin import ImageFileDirectory_v2  # noqa: PLC0415  as above

    tags, kept = image.tag_v2, ImageFileDirectory_v2()  # type: ignore[attr-defined]
    for number in _TIFF_KEPT:
        if number in tags:
            kept.tagtype[number] = tags.tagtype[number]
            kept[number] = tags[number]
    return kept


def _loses(image: "Image.Image", data: Buffer, kind: Kind) -> bool:
    """Whether a picture holds what would be gone when it is encoded again."""
    if kind is Kind.AVIF:
        return _DEEP_AV1.search(data) is not None
    if kind is not Kind.TIFF:
        return False
    return getattr(image, "n_frames", 1) > 1 or any(one in image.tag_v2 for one in _TIFF_LOST)  # type: ignore[attr-defined]


def not_here(kind: Kind) -> Text:
    """Say that a format takes no mark in what it shows or says."""
    if kind in _TEXTS:
        return Text(
            zh="已经写成的文本无法再加水印：水印由引擎在生成时加入（safebelt labelling text-watermark）。",
            en="A finished text takes no watermark: the engine puts it in while it generates the text "
            "(safebelt labelling text-watermark).",
        )
    if kind is Kind.HEIC:
        return NO_HEIC
    return Text(
        zh=f"本系统尚不在 {kind.value} 文件的画面或声音里加标识；请在界面上显示提示。",
        en=f"No mark is put into what {kind.value} files show or say here yet: show a notice beside the content.",
    )
