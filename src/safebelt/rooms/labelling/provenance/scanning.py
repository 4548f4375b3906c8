"""Looking and listening for what is in the content itself: this house's watermark, and the rhythm that says AI."""

from pathlib import Path

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats.carrier import Broken, Buffer, Unwritable
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.provenance import films, sound_aac
from safebelt.rooms.labelling.provenance.pixels import RASTER, decoded
from safebelt.rooms.labelling.provenance.sound import SOUNDS, Opened

SCANNED = RASTER | SOUNDS | films.FILMS | {Kind.M4A}
"""Formats that may carry a watermark of this house."""
SHOWN = RASTER | films.FILMS | {Kind.GIF}
"""Formats in which a drawn notice is looked for."""
HEARD = SOUNDS | {Kind.M4A}
"""Formats that are listened to."""


def ident_in(path: Path, data: Buffer, kind: Kind, key: bytes) -> int | None:
    """Return the id of a watermark in a file; None where none is found, which does not say that there is none.

    Args:
        path: The file.
        data: Its bytes.
        kind: Its format.
        key: Of this house's watermarks.

    Raises:
        Unwritable: It is of a form that is not looked into, with why.
        Broken: It cannot be decoded.
    """
    if kind not in SCANNED:
        raise Unwritable(Text(zh="该格式中不查找水印。", en="No watermark is looked for in this format."))
    try:
        if kind in films.FILMS:
            return _in_film(path, kind, key)
        return _in_picture(data, kind, key) if kind in RASTER else _in_sound(path, data, kind, key)
    except ValueError as error:
        raise Broken(f"content that cannot be looked into: {error}") from error


def _in_picture(data: Buffer, kind: Kind, key: bytes) -> int | None:
    from safebelt.rooms.labelling.watermark import image  # noqa: PLC0415  30 MB, and only for what is looked into

    reading = image.scan(decoded(data, kind).rgb, key)
    return reading.ident if reading else None


def _in_sound(path: Path, data: Buffer, kind: Kind, key: bytes) -> int | None:
    from safebelt.rooms.labelling.watermark import hearing  # noqa: PLC0415  as above

    if kind is Kind.M4A:
        track = sound_aac.probed(path)
        windows = sound_aac.windows(path, track, hearing.WINDOW_SECONDS, hearing.MAX_WINDOWS)
        reading = hearing.scan_windows(windows, track.rate, key)
    else:
        with Opened(data, kind) as opened:
            parts = opened.windows(hearing.WINDOW_SECONDS, hearing.MAX_WINDOWS)
            reading = hearing.scan_windows(parts, opened.sound.rate, key)
    return reading.ident if reading else None


def _in_film(path: Path, kind: Kind, key: bytes) -> int | None:
    from safebelt.rooms.labelling.watermark import image, video  # noqa: PLC0415  as above

    film = films.probed(path, kind)
    if film.width * film.height > image.MAX_PIXELS:
        raise Broken("a film of too many pixels")
    size = image.canonical_size(film.height, film.width)
    reading = video.scan_luma(films.looked_at(path, kind, film, size), key)
    return reading.ident if reading else None


def has_rhythm(path: Path, data: Buffer, kind: Kind) -> bool:
    """Return whether a sound begins with the rhythm that says AI.

    Raises:
        Unwritable: It is no sound that is listened to here.
        Broken: It cannot be decoded.
    """
    from safebelt.rooms.labelling.provenance import rhythm  # noqa: PLC0415  only where sound is listened to

    if kind is Kind.M4A:
        track = sound_aac.probed(path)
        first = next(sound_aac.windows(path, track, rhythm.HEARD_SECONDS, 1), None)
        return first is not None and rhythm.is_heard(first[1], track.rate)
    if kind not in SOUNDS:
        raise Unwritable(Text(zh="不是声音文件。", en="This is no sound."))
    with Opened(data, kind) as opened:
        return any(rhythm.is_heard(part, opened.sound.rate) for _, part in opened.windows(rhythm.HEARD_SECONDS, 1))


def has_drawn_notice(path: Path, data: Buffer, kind: Kind, font: Path) -> bool:
    """Return whether a picture, or a film in its first second, carries the notice that this house draws.

    Args:
        path: The file.
        data: Its bytes.
        kind: Its format.
        font: The font file that the notice is drawn with.

    Raises:
        Unwritable: It is of a form that is not looked into.
        Broken: It cannot be decoded.
    """
    from safebelt.rooms.labelling.provenance import corners_seen  # noqa: PLC0415  30 MB, and only for what is shown

    if kind in RASTER:
        return corners_seen.is_seen(decoded(data, kind).rgb, font)
    if kind is Kind.GIF:
        from safebelt.rooms.labelling.provenance import gifs  # noqa: PLC0415  as above

        return corners_seen.is_seen(gifs.first(data), font)
    film = films.probed(path, kind)
    least = min(film.height, film.width)
    factor = min(1.0, corners_seen.SIDE / least)
    size = max(1, round(film.height * factor)), max(1, round(film.width * factor))
    return any(corners_seen.is_seen(one, font) for one in films.begun(path, kind, film, size))
