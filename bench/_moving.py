"""Whether the id survives in sound and in films: the parts of `bench.watermark` that need ffmpeg.

Sounds are the caller's, a folder of WAV files of 12 s or more whose names begin with `speech` or `music`, so that
nothing is fetched.  Debian packages that give some, with the licences their `copyright` files state: people's voices in
`asterisk-core-sounds-en-g722` and `-fr-wav` (CC BY-SA 3.0); speech made by `espeak-ng` (GPL-3+) and `flite` (a BSD-like
licence), which is what services make; music in `wesnoth-1.16-music` (GPL-2+) and `supertux-data` (CC BY-SA).  Films are
pans over the photographs.
"""

import hashlib
import json
import math
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.provenance import films
from safebelt.rooms.labelling.watermark import audio, codes, hearing, image, video

Samples = NDArray[np.float32]
SOUND_ATTACKS: dict[str, tuple[list[str], str]] = {
    "nothing": ([], "wav"),
    "MP3 32k, mono": (["-ac", "1", "-b:a", "32k"], "mp3"),
    "Opus 24k, mono": (["-ac", "1", "-c:a", "libopus", "-b:a", "24k"], "opus"),
    "AAC 48k, mono": (["-ac", "1", "-c:a", "aac", "-b:a", "48k"], "m4a"),
    "16 kHz": (["-ar", "16000"], "wav"),
    "8 kHz": (["-ar", "8000"], "wav"),
    "tempo +5 %, pitch kept": (["-af", "atempo=1.05"], "wav"),
    "tempo -5 %, pitch kept": (["-af", "atempo=0.95"], "wav"),
    "speed +5 %": (["-af", "asetrate={up},aresample={rate}"], "wav"),
    "speed -5 %": (["-af", "asetrate={down},aresample={rate}"], "wav"),
    "gain -12 dB": (["-af", "volume=-12dB"], "wav"),
    "noise, 20 dB": ([], "noise"),
}
FILM_ATTACKS: dict[str, list[str]] = {
    "H.264, CRF 23": ["-c:v", "libx264", "-preset", "veryfast", "-crf", "23"],
    "H.264, CRF 32": ["-c:v", "libx264", "-preset", "veryfast", "-crf", "32"],
    "half size, H.264, CRF 26": ["-vf", "scale=iw/2:ih/2", "-c:v", "libx264", "-preset", "veryfast", "-crf", "26"],
    "VP9, CRF 36": ["-c:v", "libvpx-vp9", "-crf", "36", "-b:v", "0", "-deadline", "realtime", "-cpu-used", "6"],
    "H.265, CRF 30": ["-c:v", "libx265", "-preset", "veryfast", "-crf", "30", "-x265-params", "log-level=none"],
}
_MARKED_SECONDS, _CUT_SECONDS = 15, 5
_FILM = 720, 1280, 75  # rows, columns, frames


def _ffmpeg(*arguments: str, sent: bytes | None = None) -> bytes:
    command = ["ffmpeg", "-y", "-v", "error", "-hide_banner", *([] if sent else ["-nostdin"]), *arguments]
    return subprocess.run(command, input=sent, capture_output=True, check=True).stdout


def loaded(path: Path) -> tuple[Samples, int]:
    """Return the beginning of a sound as one channel, and its rate."""
    import soundfile  # type: ignore[import-untyped]  # noqa: PLC0415  with the rest of this file

    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return samples.mean(axis=1)[: _MARKED_SECONDS * rate], rate


def attacked(samples: Samples, rate: int, attack: str, folder: Path, seed: int) -> tuple[Samples, int]:
    """Return what comes of a sound, decoded."""
    import soundfile  # noqa: PLC0415  as above

    arguments, kind = SOUND_ATTACKS[attack]
    if kind == "noise":
        noise = np.random.default_rng(seed).normal(size=len(samples)) * math.sqrt(float((samples**2).mean()) / 100)
        return (samples + noise).astype(np.float32), rate
    given, made, back = folder / "given.wav", folder / f"made.{kind}", folder / "back.wav"
    soundfile.write(given, samples, rate, subtype="PCM_16")
    filled = [one.format(up=round(1.05 * rate), down=round(0.95 * rate), rate=rate) for one in arguments]
    _ffmpeg("-i", str(given), *filled, str(made))
    _ffmpeg("-i", str(made), "-c:a", "pcm_s16le", str(back))
    decoded, rate_now = soundfile.read(back, dtype="float32")
    return decoded, rate_now


def sound_survival(folder: Path, key: bytes) -> dict[str, Any]:
    """Mark each sound, attack it, cut five seconds out of it, read them; ten where five were not enough."""
    hits: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    scores: dict[str, list[float]] = defaultdict(list)
    ratios, wrong, later, missed = list[float](), 0, dict[str, int](), list[str]()
    with tempfile.TemporaryDirectory() as scratch:
        for at, path in enumerate(sorted(folder.glob("*.wav"))):
            plain, rate = loaded(path)
            ident = int.from_bytes(hashlib.sha256(path.name.encode()).digest()[:8], "big")
            marked = audio.embed(plain, rate, ident, key)
            ratios.append(10 * math.log10(float((plain**2).sum()) / float(((plain - marked) ** 2).sum())))
            start = 1 + (at * 1.37) % 4  # seconds, anywhere in the tile
            for attack in SOUND_ATTACKS:
                sound, rate_now = attacked(marked, rate, attack, Path(scratch), at)
                begin = round(start * rate_now)
                reading = hearing.scan(sound[begin : begin + _CUT_SECONDS * rate_now], rate_now, key)
                is_right = reading is not None and reading.ident == ident
                wrong += int(reading is not None and not is_right)
                hits[path.name.split("_")[0]][attack].append(int(is_right))
                scores[attack].append(reading.score if reading else 0.0)
                if not is_right:
                    again = hearing.scan(sound[begin : begin + 2 * _CUT_SECONDS * rate_now], rate_now, key)
                    is_later = again is not None and again.ident == ident
                    later[attack] = later.get(attack, 0) + int(is_later)
                    missed.append(f"{attack}: {path.stem}" + ("" if is_later else " (nor from ten seconds)"))
            sys.stderr.write(f"{path.name}: {ratios[-1]:.1f} dB, missed so far {len(missed)}\n")
    return {
        "count": {kind: len(found["nothing"]) for kind, found in hits.items()},
        "exact": {kind: {attack: sum(of) for attack, of in found.items()} for kind, found in hits.items()},
        "from_ten_seconds": later,
        "score": {attack: [round(float(np.percentile(of, q)), 1) for q in (1, 50)] for attack, of in scores.items()},
        "score_needed": round(math.sqrt(2 * (math.log(hearing.READINGS * 2.0**64) - math.log(hearing.MAX_CHANCE))), 2),
        "snr_db": {"median": round(float(np.median(ratios)), 1), "worst": round(min(ratios), 1)},
        "wrong_ids": wrong,
        "missed": missed,
    }


def sound_false(folder: Path, scans: int) -> dict[str, Any]:
    """Scan ten seconds of what no mark of the key is in: unmarked sounds, and marked ones with another key."""
    found, other = 0, hashlib.sha256(b"another key").digest()
    sounds = sorted(folder.glob("*.wav"))
    for at in range(scans):
        samples, rate = loaded(sounds[at % len(sounds)])
        part = samples[: round(hearing.WINDOW_SECONDS * rate)]
        if at % 2:
            part = audio.embed(part, rate, at, other)
        found += hearing.scan(part, rate, hashlib.sha256(f"scan {at}".encode()).digest()) is not None
    return {"scans": scans, "found": found}


def sound_costs(folder: Path, key: bytes, rounds: int = 5) -> dict[str, float]:
    """Return how many times faster than it plays a sound is marked and scanned, least time of some."""
    samples, rate = loaded(next(iter(sorted(folder.glob("music*.wav")))))
    part = samples[: round(hearing.WINDOW_SECONDS * rate)]
    marked = audio.embed(part, rate, 7, key)
    deeds = {
        "embed": lambda: audio.embed(part, rate, 7, key),
        "scan, marked": lambda: hearing.scan(marked, rate, key),
        "scan, unmarked": lambda: hearing.scan(part, rate, key),
    }
    least = dict.fromkeys(deeds, math.inf)
    for _ in range(rounds):
        for name, do in deeds.items():
            begun = time.perf_counter()
            do()
            least[name] = min(least[name], time.perf_counter() - begun)
    return {"sample_rate": rate} | {name: round(len(part) / rate / took, 1) for name, took in least.items()}


def _pan(photo: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Yield the brightness of frames: a pan of some pixels each frame."""
    rows, columns, frames = _FILM
    room = rows + 60, columns + 4 * frames
    scale = max(room[0] / photo.shape[0], room[1] / photo.shape[1])
    grey = cv2.resize(cv2.cvtColor(photo, cv2.COLOR_BGR2GRAY), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    for at in range(frames):
        top, left = at * 2 % 60, at * 4
        yield np.ascontiguousarray(grey[top : top + rows, left : left + columns])


def film_survival(folder: Path, key: bytes, count: int) -> dict[str, Any]:
    """Mark pans over photographs, encode them, and read them as the check does."""
    rows, columns, frames = _FILM
    exact: dict[str, int] = dict.fromkeys(FILM_ATTACKS, 0)
    wrong, found_in_plain, seconds, total = 0, 0, 0.0, 0
    photos = [one for one in sorted(folder.iterdir()) if one.suffix.lower() in {".jpg", ".jpeg", ".png"}]
    with tempfile.TemporaryDirectory() as scratch:
        for number, path in enumerate(photos[:: max(1, len(photos) // count)][:count]):
            photo = cv2.imread(str(path))
            plain = list(_pan(np.asarray(photo, dtype=np.uint8)))
            begun = time.perf_counter()
            marked = [video.embed_luma(frame, number + 1, key) for frame in plain]
            seconds += time.perf_counter() - begun
            total += 1
            for attack, how in FILM_ATTACKS.items():
                reading = _film_reading(marked, how, Path(scratch) / "film.mkv", key)
                exact[attack] += reading == number + 1
                wrong += int(reading is not None and reading != number + 1)
            found_in_plain += (
                _film_reading(plain, FILM_ATTACKS["H.264, CRF 23"], Path(scratch) / "film.mkv", key) is not None
            )
            sys.stderr.write(f"{path.name}: {json.dumps(exact)}\n")
    return {
        "count": total,
        "frame": [rows, columns],
        "seconds": frames / 25,
        "exact": exact,
        "wrong_ids": wrong,
        "found_in_unmarked": found_in_plain,
        "embed_ms_a_frame": round(1000 * seconds / max(1, total * frames), 1),
    }


def _film_reading(frames: list[NDArray[np.uint8]], how: list[str], out: Path, key: bytes) -> int | None:
    rows, columns, _ = _FILM
    raw = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{columns}x{rows}", "-r", "25", "-i", "pipe:0"]
    _ffmpeg(*raw, *how, "-pix_fmt", "yuv420p", str(out), sent=b"".join(one.tobytes() for one in frames))
    film = films.probed(out, Kind.MKV)
    reading = video.scan_luma(films.looked_at(out, Kind.MKV, film, image.canonical_size(film.height, film.width)), key)
    return reading.ident if reading else None


def written(sound: dict[str, Any] | None, film: dict[str, Any] | None) -> list[str]:
    """Return the results as parts of a page."""
    return (_sound_written(sound) if sound else []) + (_film_written(film) if film else [])


def _sound_written(sound: dict[str, Any]) -> list[str]:
    alive, false, fast = sound["survival"], sound["false_positives"], sound["costs"]
    lines = [
        "## Sound",
        "",
        f"{sum(alive['count'].values())} clips ({', '.join(f'{n} of {kind}' for kind, n in alive['count'].items())}), "
        "one channel, 64-bit ids, blind, read from five seconds cut out anywhere; constants were chosen on some twenty "
        f"of them.  Sound to change: median {alive['snr_db']['median']} dB, "
        f"worst {alive['snr_db']['worst']}.  Wrong ids read: {alive['wrong_ids']}.",
        "",
        "| after | "
        + " | ".join(f"exact, {kind}" for kind in alive["count"])
        + " | missed, read from 10 s | score, 1st percentile | median |",
        "|---|" + "---|" * (len(alive["count"]) + 3),
    ]
    for attack in SOUND_ATTACKS:
        cells = [f"{alive['exact'][kind][attack]}/{alive['count'][kind]}" for kind in alive["count"]]
        low, middle = alive["score"][attack]
        lines.append(
            f"| {attack} | {' | '.join(cells)} | {alive['from_ten_seconds'].get(attack, 0)} | {low} | {middle} |"
        )
    bound = codes.chance_by_luck(alive["score_needed"] + 0.01, hearing.READINGS)
    return [
        *lines,
        "",
        f"A score of {alive['score_needed']} is needed, where luck has a chance below {bound:.1g} a scan by the same "
        f"bound.  False positives: {false['found']} in {false['scans']} full scans of ten seconds (unmarked, and "
        "marked with another key).",
        "",
        f"Times faster than it plays, {fast['sample_rate']} Hz, one channel, one core: "
        + ", ".join(f"{name} {value}" for name, value in fast.items() if name != "sample_rate")
        + ".",
        "",
        "Missed: " + ("; ".join(alive["missed"]) or "none") + ".",
        "",
    ]


def _film_written(film: dict[str, Any]) -> list[str]:
    rows, columns = film["frame"]
    return [
        "## Films",
        "",
        f"{film['count']} pans over photographs, {columns} × {rows}, {film['seconds']:.0f} s at 25 frames a second.  "
        f"Wrong ids: {film['wrong_ids']}; ids found in unmarked films: {film['found_in_unmarked']}.  Marking takes "
        f"{film['embed_ms_a_frame']} ms a frame beside decoding and encoding.",
        "",
        "| after | exact |",
        "|---|---|",
        *(f"| {attack} | {hits}/{film['count']} |" for attack, hits in film["exact"].items()),
        "",
    ]
