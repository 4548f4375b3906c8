"""Pictures to mark, and what happens to pictures: seeded, the same on every machine."""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]


@cache
def _photographs() -> Path:
    """Where scikit-learn keeps its pictures.  Found, not imported: importing it takes longer than all that is done with them."""
    found = find_spec("sklearn")
    assert found and found.origin, "scikit-learn is missing"
    return Path(found.origin).parent / "datasets" / "images"


def photograph(name: str) -> Picture:
    """Return one of the two photographs that scikit-learn carries (china.jpg, flower.jpg: CC BY, 640 × 427)."""
    return np.ascontiguousarray(cv2.imread(str(_photographs() / name))[..., ::-1])


def photographed(name: str) -> Picture:
    """Return the same as Pillow decodes it, which differs by a rounding here and there."""
    return np.asarray(Image.open(_photographs() / name).convert("RGB"))


def landscape(height: int, width: int, seed: int) -> Picture:
    """Return a made picture with the spectrum of natural ones: amplitude falls as one over frequency, with a flat sky."""
    rng = np.random.default_rng(seed)
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    fall = 1 / np.maximum(np.hypot(fy, fx), 1 / max(height, width))
    planes = [
        np.fft.irfft2(np.fft.rfft2(rng.standard_normal((height, width))) * fall, s=(height, width)) for _ in "rgb"
    ]
    scene = np.stack([planes[0] + 0.2 * one for one in planes], axis=2)
    scene = 120 + 45 * scene / scene.std()
    scene[: height // 5] = [150, 180, 220]
    return np.clip(scene, 0, 255).astype(np.uint8)


def jpeg(rgb: Picture, quality: int) -> Picture:
    """Compress and decompress."""
    data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


def resized(rgb: Picture, factor: float) -> Picture:
    """Resize both sides."""
    size = (int(rgb.shape[1] * factor), int(rgb.shape[0] * factor))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)


def cropped(rgb: Picture, part: float = 0.2) -> Picture:
    """Cut away a part of the area, off-centre."""
    height, width = rgb.shape[:2]
    keep = np.sqrt(1 - part)
    rows, columns = int(height * keep), int(width * keep)
    top, left = int((height - rows) * 0.37), int((width - columns) * 0.61)
    return rgb[top : top + rows, left : left + columns].copy()


def screenshot(rgb: Picture) -> Picture:
    """Show at 75 %, with another gamma and the noise of a dithered display, and save as JPEG 80."""
    small = cv2.resize(rgb, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    shown = 255 * (np.clip(small, 0, 255) / 255) ** 1.05 + np.random.default_rng(1).normal(0, 1, small.shape)
    return jpeg(np.clip(shown, 0, 255).astype(np.uint8), 80)


def brightened(rgb: Picture) -> Picture:
    """Raise contrast by a fifth and take ten levels off."""
    return np.clip(np.rint(rgb.astype(np.float32) * 1.2 - 10), 0, 255).astype(np.uint8)


def rotated(rgb: Picture, degrees: float) -> Picture:
    """Turn about the middle, corners filled by reflection."""
    height, width = rgb.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return cv2.warpAffine(rgb, turn, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


ATTACKS: dict[str, Callable[[Picture], Picture]] = {
    "nothing": lambda rgb: rgb,
    "JPEG 50": lambda rgb: jpeg(rgb, 50),
    "JPEG 30": lambda rgb: jpeg(rgb, 30),
    "resize 50 %": lambda rgb: resized(rgb, 0.5),
    "crop 20 %": cropped,
    "screenshot-like": screenshot,
    "resize 50 % + JPEG 50": lambda rgb: jpeg(resized(rgb, 0.5), 50),
    "brightness and contrast": brightened,
    "rotation +2°": lambda rgb: rotated(rgb, 2),
    "rotation -2°": lambda rgb: rotated(rgb, -2),
}
"""What issue 7 asks the id to survive, and rotation, its aim."""


def psnr(one: Picture, two: Picture) -> float:
    """Return the peak signal to noise ratio over all three colours, in dB."""
    return float(10 * np.log10(255**2 / max(((one.astype(np.float64) - two) ** 2).mean(), 1e-12)))
