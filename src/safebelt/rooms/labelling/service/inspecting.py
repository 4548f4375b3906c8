"""One look into a file: everything that reads foreign bytes is called from here, and nothing is judged.

It runs in a process of its own (`worker`), which may be killed at any moment: whatever it says is data.
"""

import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import ParamSpec, TypeVar

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.decide.reading import read as read_label
from safebelt.rooms.labelling.formats.carrier import MAX_FOUND, MAX_LABEL_BYTES, Broken, Buffer, Unwritable
from safebelt.rooms.labelling.formats.files import identity_of, opened
from safebelt.rooms.labelling.formats.kinds import Kind, carrier_of, sniff
from safebelt.rooms.labelling.model.checks import FoundLabel
from safebelt.rooms.labelling.model.inspection import Glimpse, Inspection
from safebelt.rooms.labelling.model.label import SIDECAR
from safebelt.rooms.labelling.model.provenance import Manifest
from safebelt.rooms.labelling.provenance import notices, scanning
from safebelt.rooms.labelling.provenance.manifests import READ_KINDS, Manifests
from safebelt.rooms.labelling.service.likeness import fingerprint_of

_P = ParamSpec("_P")
_T = TypeVar("_T")
_SHOWN = 4096  # characters of a label that are kept
_AI, _MADE = r"(?:人工智能|(?<![A-Za-z])AI(?![A-Za-z]))", r"(?:生成|合成|generated|synthesi[sz]ed)"
_NOTICE = re.compile(rf"{_AI}[^\n。.]{{0,12}}{_MADE}|{_MADE}[^\n。.]{{0,12}}{_AI}", re.IGNORECASE)
"""Both elements of GB 45438-2025 5.1 b), near each other; in English too."""
_SCAN_SECONDS = 10.0
"""Longest search for watermarks by keys beyond the newest: half of what one look may take."""
_NO_TIME = Text(
    zh="时间不足以试完本机构的全部密钥；已试过的没有找到。",
    en="There was no time to try all keys of this house; by those that were tried none was found.",
)
_NO_KEY = Text(zh="本机构没有水印密钥。", en="This house has no key for a watermark.")
_NOT_ASKED = Text(zh="未要求查找。", en="It was not asked for.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """What this house recognizes its own marks by.

    Attributes:
        keys: Keys of its watermarks, the newest first; empty where none are looked for.
        font: The font file that it draws notices with; None where none are looked for.
    """

    keys: tuple[bytes, ...] = ()
    font: Path | None = None


def inspect(
    path: Path,
    name: str,
    manifests: Manifests,
    looks: Looks,
    *,
    is_scanned: bool = True,
    tell: Callable[[Glimpse], None] = lambda _: None,
) -> Inspection:
    """Look into a file.

    Args:
        path: The file.
        name: What it is called.
        manifests: Reads C2PA manifests.
        looks: What marks of this house are recognized by.
        is_scanned: Whether the content itself is looked at, for watermark and fingerprint, or only what is said of it.
        tell: Is told, once, the labels, while the look goes on.

    Raises:
        OSError: It cannot be opened.
    """
    with opened(path) as (file, data):
        before, kind = identity_of(file), sniff(data, name)
        labels, broken = _labels(kind, data) if kind else ((), "")
        labels += _beside(path) if kind else ()
        tell(Glimpse(labels=labels))
        seen = _seen(path, data, kind, manifests, looks, is_scanned=is_scanned) if kind else Inspection(size=len(data))
        stayed = identity_of(file) == before
    return replace(seen, identity=before if stayed else (), labels=labels, broken=broken)


def _seen(path: Path, data: Buffer, kind: Kind, manifests: Manifests, looks: Looks, *, is_scanned: bool) -> Inspection:
    manifest, manifest_broken = _manifest(kind, path, data, manifests)
    ident, why_no_scan = _by_all(path, kind, data, looks.keys) if is_scanned else (None, _NOT_ASKED)
    return Inspection(
        kind=kind.value,
        size=len(data),
        manifest=manifest,
        manifest_broken=manifest_broken,
        has_provenance=kind in READ_KINDS,
        ident=ident,
        has_scan=why_no_scan is None,
        why_no_scan=why_no_scan,
        is_scanned=is_scanned,
        fingerprint=fingerprint_of(kind, data) if is_scanned else None,
        notice=_notice(path, kind, data, looks.font if is_scanned else None, is_scanned=is_scanned),
    )


def _beside(path: Path) -> tuple[FoundLabel, ...]:
    """Return the label in a file of its own beside the content, where there is one: a plain file, and no longer."""
    name = path.name + SIDECAR
    try:
        file = os.open(f"{path}{SIDECAR}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ()
    with os.fdopen(file, "rb") as opened_:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return ()
        text = opened_.read(MAX_LABEL_BYTES + 1).decode("utf-8", "replace")
    read = read_label(text) if len(text) <= MAX_LABEL_BYTES else None
    fields = read.fields if read else {}
    return (FoundLabel(place=name, is_native=False, fields=fields, raw=text[:_SHOWN], is_beside=True),)


def _labels(kind: Kind, data: Buffer) -> tuple[tuple[FoundLabel, ...], str]:
    try:
        found = carrier_of(kind).read(data)[:MAX_FOUND]
    except Broken as broken:
        return (), str(broken)
    labels = list[FoundLabel]()
    for one in found:
        read = read_label(one.value)
        labels.append(
            FoundLabel(
                place=one.place,
                is_native=one.is_native,
                fields=read.fields if read else {},
                raw=one.value[:_SHOWN],
                at=one.at,
                length=one.length,
            )
        )
    return tuple(labels), ""


def _manifest(kind: Kind, path: Path, data: Buffer, manifests: Manifests) -> tuple[Manifest | None, str]:
    if kind not in READ_KINDS:
        return None, ""
    try:
        return manifests.read(path, kind, data), ""
    except Broken as broken:
        return None, str(broken)


def _by_all(path: Path, kind: Kind, data: Buffer, keys: tuple[bytes, ...]) -> tuple[int | None, Text | None]:
    """Look for a watermark by one key after the other, the newest first, while there is time.

    Returns:
        Its id, and why none was looked for, or not by all keys, if so.
    """
    if not keys:
        return None, _NO_KEY
    ident, why, began = None, None, monotonic()
    for number, key in enumerate(keys):
        taken = monotonic() - began
        if number and taken + taken / number > _SCAN_SECONDS:
            return None, _NO_TIME
        ident, why = _watermark(path, kind, data, key)
        if ident is not None or why is not None:
            break
    return ident, why


def _watermark(path: Path, kind: Kind, data: Buffer, key: bytes) -> tuple[int | None, Text | None]:
    """Return the id of a watermark, and why none was looked for, if so."""
    try:
        return scanning.ident_in(path, data, kind, key), None
    except Unwritable as no:
        return None, no.why
    except Broken as broken:
        return None, Text(zh=f"内容无法解码：{broken}", en=f"It cannot be decoded: {broken}.")


def _notice(path: Path, kind: Kind, data: Buffer, font: Path | None, *, is_scanned: bool) -> bool | None:
    """Return whether a notice is there; None where it was not looked for, or only people can tell that there is none.

    A sound without the rhythm may say in words that AI made it, and a picture may show it in other letters than ours.
    """
    if kind not in scanning.HEARD | scanning.SHOWN:
        return _has_notice(data, kind)
    try:
        if kind in scanning.HEARD:
            return (is_scanned and scanning.has_rhythm(path, data, kind)) or None
        return (font is not None and scanning.has_drawn_notice(path, data, kind, font)) or None
    except (Unwritable, Broken):
        return None


def _has_notice(data: Buffer, kind: Kind) -> bool | None:
    """Whether a notice stands where a reader meets it; None where that is not looked for, or cannot be read."""
    try:
        words = notices.words(data, kind)
    except Broken:
        return None
    return None if words is None else _NOTICE.search(words) is not None
