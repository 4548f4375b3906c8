"""Whether the id in a picture survives what happens to pictures, how good the picture stays, and what both cost.

The photographs are the caller's: a folder of them, so that nothing is fetched.  Debian packages that give some, with
the licences their `copyright` files state: `mate-backgrounds` (nature/, GPL-2+), `lomiri-wallpapers-16.04` and
`lomiri-wallpapers-20.04` (CC BY, CC BY-SA and CC0 by picture), `plasma-workspace-wallpapers` (GPL-2+; photographs
only), and the photographs in scikit-image (CC0 and public domain) and scikit-learn (CC BY).  Drawings are not
photographs: leave them out.  Photographs, not crops, are dealt to two halves by the hash of their name: *tuned* is what
constants were chosen on, *held out* was looked at only here.

Sound and films: `_moving`.

Run: `python -m bench.watermark FOLDER [--sounds FOLDER] [--side 640] [--per-photo 5] [--scans 2000] [--pairs 100000]`.
"""

import argparse
import hashlib
import json
import math
import os
import platform
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta
from skimage.metrics import structural_similarity
from tests.rooms.labelling.watermark.pictures import ATTACKS, jpeg, psnr

from bench import _moving
from safebelt.rooms.labelling.watermark import codes, fingerprints, image, locate
from safebelt.rooms.labelling.watermark.pattern import VARIANTS, pattern

ROOT = Path(__file__).resolve().parents[1]
KEY = hashlib.sha256(b"bench key").digest()
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
SCORE_NEEDED = math.sqrt(2 * (math.log(locate.READINGS * 2.0**codes.ID_BITS) - math.log(locate.MAX_CHANCE)))
"""Where `codes.chance_by_luck` meets `locate.MAX_CHANCE`."""
Picture = NDArray[np.uint8]


def crops(folder: Path, side: int, per_photo: int) -> Iterator[tuple[str, bool, Picture]]:
    """Yield (name, held out, picture): disjoint squares of each photograph, or all of one that is smaller."""
    for path in sorted(one for one in folder.iterdir() if one.suffix.lower() in SUFFIXES):
        photo = cv2.imread(str(path))
        if photo is None:
            continue
        photo = photo[..., ::-1]
        held_out = hashlib.sha256(path.name.encode()).digest()[0] % 2 == 1
        rows, columns = photo.shape[0] // side, photo.shape[1] // side
        if not rows * columns:
            if min(photo.shape[:2]) >= 400:
                yield path.stem, held_out, np.ascontiguousarray(photo)
            continue
        taken = np.linspace(0, rows * columns - 1, min(per_photo, rows * columns)).round().astype(int)
        for at in taken.tolist():
            top, left = at // columns * side, at % columns * side
            yield (
                f"{path.stem} {top} {left}",
                held_out,
                np.ascontiguousarray(photo[top : top + side, left : left + side]),
            )


def survival(pictures: list[tuple[str, bool, Picture]]) -> dict[str, Any]:
    """Mark each picture, attack the marked one, read it."""
    right: dict[str, dict[str, list[int]]] = {"tuned": defaultdict(list), "held out": defaultdict(list)}
    scores: dict[str, list[float]] = defaultdict(list)
    psnrs, ssims, missed, wrong = list[float](), list[float](), list[str](), 0
    for at, (name, held_out, plain) in enumerate(pictures):
        ident = int.from_bytes(hashlib.sha256(f"{at} {name}".encode()).digest()[:8], "big")
        marked = image.embed(plain, ident, KEY)
        psnrs.append(psnr(plain, marked))
        grey = [cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in (plain, marked)]
        ssims.append(float(structural_similarity(*grey)))
        for attack, do in ATTACKS.items():
            reading = image.scan(do(marked), KEY)
            is_right = reading is not None and reading.ident == ident
            wrong += int(reading is not None and not is_right)
            right["held out" if held_out else "tuned"][attack].append(int(is_right))
            scores[attack].append(reading.score if reading else 0.0)
            if not is_right:
                missed.append(f"{attack}: {name}")
    return {
        "pictures": {half: len(found["nothing"]) for half, found in right.items()},
        "exact": {half: {attack: sum(hits) for attack, hits in found.items()} for half, found in right.items()},
        "score": {attack: [round(float(np.percentile(s, q)), 1) for q in (1, 50)] for attack, s in scores.items()},
        "score_needed": round(SCORE_NEEDED, 2),
        "psnr_db": {"median": round(float(np.median(psnrs)), 2), "worst": round(min(psnrs), 2)},
        "ssim": {"median": round(float(np.median(ssims)), 4), "worst": round(min(ssims), 4)},
        "missed": missed,
        "wrong_ids": wrong,
    }


def false_positives(pictures: list[tuple[str, bool, Picture]], scans: int, pairs: int) -> dict[str, Any]:
    """Scan what no mark is in: with the whole search, and with many keys at one place without the search."""
    found, at = 0, 0
    while at < scans:
        _, _, plain = pictures[at % len(pictures)]
        found += image.scan(plain, hashlib.sha256(f"scan {at}".encode()).digest()) is not None
        at += 1
    best, passed = 0.0, 0
    folded = [_folded(plain) for _, _, plain in pictures[:: max(1, len(pictures) // 100)]]
    for pair in range(pairs):
        score = _score_at_rest(*folded[pair % len(folded)], hashlib.sha256(f"pair {pair}".encode()).digest())
        best, passed = max(best, score), passed + (codes.chance_by_luck(score, locate.READINGS) <= locate.MAX_CHANCE)
    return {
        "scans": scans,
        "found": found,
        "pairs": pairs,
        "passed": passed,
        "best_score_of_pairs": round(best, 2),
        "at_most_of_scans": _at_most(found, scans),
        "at_most_of_pairs": _at_most(passed, pairs),
        "computed": {
            "a_scan": locate.MAX_CHANCE,
            "a_pair": codes.chance_by_luck(SCORE_NEEDED, 1),
        },
    }


def _at_most(found: int, tried: int) -> float | None:
    """Return the rate that so few in so many rule out, with 95 % confidence; None where none were tried.

    The upper end of Clopper and Pearson's interval (1934), one-sided; with nothing found it is 1 - 0.05^(1/n), about
    3/n.
    """
    return float(beta.ppf(0.95, found + 1, tried - found)) if tried > found else None


Folded = tuple[NDArray[np.complex64], NDArray[np.float32]]


def _folded(plain: Picture) -> Folded:
    grey = cv2.cvtColor(plain, cv2.COLOR_RGB2GRAY)
    rows, columns = image.canonical_size(*grey.shape)
    small = cv2.resize(grey, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
    return locate.lattice(locate.whitened(small), np.eye(2))


def _score_at_rest(spectrum: NDArray[np.complex64], around: NDArray[np.float32], key: bytes) -> float:
    """Return the score of the likeliest id where an untouched mark would lie; 0 where the reader would not decode."""
    marks = pattern(key)
    soft = locate.carriers(spectrum, around, marks, key[0] % VARIANTS, (0.0, 0.0))
    return locate.decided(soft, marks)[1]


def costs(pictures: list[tuple[str, bool, Picture]], rounds: int = 15) -> dict[str, Any]:
    """Time in turns, so that a busy neighbour disturbs all alike; the least of each counts."""
    plain = np.ascontiguousarray(np.tile(max((one[2] for one in pictures), key=np.size), (2, 2, 1))[:1000, :1000])
    marked = image.embed(plain, 7, KEY)
    data = cv2.imencode(".png", plain[..., ::-1])[1]
    deeds = {
        "decode and encode JPEG 90": lambda: jpeg(plain, 90),
        "decode and encode PNG": lambda: cv2.imencode(".png", cv2.imdecode(data, cv2.IMREAD_COLOR)),
        "embed": lambda: image.embed(plain, 7, KEY),
        "scan, marked": lambda: image.scan(marked, KEY),
        "scan, unmarked": lambda: image.scan(plain, KEY),
    }
    least = dict.fromkeys(deeds, math.inf)
    for _ in range(rounds):
        for name, do in deeds.items():
            start = time.perf_counter()
            do()
            least[name] = min(least[name], time.perf_counter() - start)
    megapixels = plain.shape[0] * plain.shape[1] / 1e6
    return {"megapixels": megapixels, "ms": {name: round(1000 * least[name], 1) for name in deeds}}


def likeness(folder: Path) -> dict[str, Any]:
    """Compare each photograph with itself attacked and the others, each paragraph with itself cut and the others."""
    photos = [(one, cv2.imread(str(one))) for one in sorted(folder.iterdir()) if one.suffix.lower() in SUFFIXES]
    plain = [image_resized(photo) for _, photo in photos if photo is not None]
    found = [fingerprints.of_picture(one) for one in plain]
    again = {
        attack: sum(
            fingerprints.distance(print_, fingerprints.of_picture(do(one))) <= fingerprints.SAME_PICTURE
            for print_, one in zip(found, plain, strict=True)
        )
        for attack, do in ATTACKS.items()
    }
    result: dict[str, Any] = {
        "photographs": {"count": len(plain), "found_again": again} | _pairs(found, fingerprints.SAME_PICTURE)
    }
    for language, least in (("zh", 80), ("en", 250)):
        texts = sorted(_paragraphs(language, least))
        kept = [(text, mark) for text in texts if (mark := fingerprints.of_text(text)) is not None]
        result[language] = {"count": len(kept), "found_again": _found_after_cuts(kept)} | _pairs(
            [mark for _, mark in kept], fingerprints.SAME_TEXT
        )
    return result


def image_resized(photo: Picture) -> Picture:
    """Return the photograph at 640 pixels for its longer side, red first."""
    scale = 640 / max(photo.shape[:2])
    return np.ascontiguousarray(cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[..., ::-1])


def _paragraphs(language: str, least: int) -> set[str]:
    pages = (page.read_text(encoding="utf-8") for page in (ROOT / "docs").rglob(f"*.{language}.md"))
    return {one for page in pages for one in page.split("\n\n") if len(one) > least and not set(one) & set("|`")}


def _found_after_cuts(kept: list[tuple[str, int]]) -> int:
    """Count the texts that are found again when the middle twentieth is cut out."""
    cut = ((text[: len(text) * 19 // 40] + text[len(text) * 21 // 40 :], mark) for text, mark in kept)
    again = ((fingerprints.of_text(text), mark) for text, mark in cut)
    return sum(new is not None and fingerprints.distance(new, mark) <= fingerprints.SAME_TEXT for new, mark in again)


def _pairs(found: list[int], most: int) -> dict[str, int]:
    apart = [fingerprints.distance(one, two) for i, one in enumerate(found) for two in found[:i]]
    return {"pairs": len(apart), "matched": sum(one <= most for one in apart), "nearest": min(apart, default=64)}


def written(result: dict[str, Any]) -> str:
    """Return the results as a page."""
    alive, false, cost = result["survival"], result["false_positives"], result["costs"]
    total = sum(alive["pictures"].values())
    lines = [
        "# Watermarks, measured",
        "",
        f"{total} natural pictures ({result['side']} pixels square, or whole photographs that are smaller), disjoint, "
        f"of {result['photographs']} photographs: {alive['pictures']['tuned']} of the half constants were chosen on, "
        f"{alive['pictures']['held out']} held out.  64-bit ids, blind.",
        "",
        f"PSNR median {alive['psnr_db']['median']} dB, worst {alive['psnr_db']['worst']}; SSIM (grey, 7 × 7) median "
        f"{alive['ssim']['median']}, worst {alive['ssim']['worst']}.  Wrong ids read: {alive['wrong_ids']}.",
        "",
        "| after | exact, tuned half | exact, held out | score, 1st percentile | median |",
        "|---|---|---|---|---|",
    ]
    for attack in ATTACKS:
        cells = [f"{alive['exact'][half][attack]}/{alive['pictures'][half]}" for half in ("tuned", "held out")]
        low, middle = alive["score"][attack]
        lines.append(f"| {attack} | {cells[0]} | {cells[1]} | {low} | {middle} |")
    lines += [
        "",
        f"A score of {alive['score_needed']} is needed: the chance that unmarked content passes is below 10⁻⁹ a scan, "
        "by Hoeffding's bound over the key's signs, times 2⁶⁴ ids, times the readings of a scan.",
        "",
        *_false_written(false),
        "",
        "| one megapixel, least of 15 | ms |",
        "|---|---|",
        *(f"| {name} | {ms} |" for name, ms in cost["ms"].items()),
        "",
        *_moving.written(result.get("sound"), result.get("film")),
        *_likeness_written(result["fingerprints"]),
        "",
        "Missed: " + ("; ".join(alive["missed"]) or "none") + ".",
        "",
        f"Python {result['python']}, OpenCV {cv2.__version__}, {result['cores']} cores.",
    ]
    return "\n".join(lines) + "\n"


def _false_written(false: dict[str, Any]) -> list[str]:
    computed = false["computed"]
    lines = [
        f"False positives: {false['found']} in {false['scans']:,} full scans, each with a key of its own: with 95 % "
        f"confidence fewer than one in {1 / false['at_most_of_scans']:,.0f}; computed: "
        f"at most {computed['a_scan']:.0e}."
    ]
    if not false["pairs"]:
        return [*lines, "Pairs of key and picture were not measured in this run."]
    return [
        *lines,
        f"{false['passed']} in {false['pairs']:,} pairs of key and picture, read where an untouched mark would lie, "
        f"without the search: with 95 % confidence fewer than one in {1 / false['at_most_of_pairs']:,.0f}; computed: "
        f"at most {computed['a_pair']:.1e}.  The best score of these pairs was {false['best_score_of_pairs']}.",
    ]


def _likeness_written(found: dict[str, Any]) -> list[str]:
    lines = ["## Fingerprints", ""]
    photos = found["photographs"]
    for attack, again in photos["found_again"].items():
        lines.append(f"- photographs found again after {attack}: {again}/{photos['count']}")
    for kind in ("zh", "en"):
        one = found[kind]
        lines.append(f"- {kind} paragraphs found again with a twentieth cut out: {one['found_again']}/{one['count']}")
    for kind, one in found.items():
        lines.append(
            f"- {kind}: {one['matched']} of {one['pairs']} pairs of unlike ones match (nearest {one['nearest']})"
        )
    return lines


def main() -> None:
    """Measure and write."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("folder", type=Path, nargs="?")
    ask.add_argument("--side", type=int, default=640)
    ask.add_argument("--per-photo", type=int, default=6)
    ask.add_argument("--scans", type=int, default=2000)
    ask.add_argument("--pairs", type=int, default=100_000)
    ask.add_argument("--name", default="watermark")
    ask.add_argument("--sounds", type=Path)
    ask.add_argument("--only", choices=("fingerprints", "costs", "survival", "false_positives", "sound", "film"))
    asked = ask.parse_args()
    if asked.folder is None:
        sys.stdout.write(
            "watermark: no folder of photographs was named; nothing was measured (see the head of the file)\n"
        )
        return
    cv2.setNumThreads(1)
    pictures = list(crops(asked.folder, asked.side, asked.per_photo))
    result: dict[str, Any] = {
        "side": asked.side,
        "photographs": len({name.split(" ")[0] for name, _, _ in pictures}),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
    }
    parts: dict[str, Any] = {
        "fingerprints": lambda: likeness(asked.folder),
        "costs": lambda: costs(pictures),
        "survival": lambda: survival(pictures),
        "false_positives": lambda: false_positives(pictures, asked.scans, asked.pairs),
    }
    parts["film"] = lambda: _moving.film_survival(asked.folder, KEY, 12)
    if asked.sounds is not None:
        parts["sound"] = lambda: {
            "survival": _moving.sound_survival(asked.sounds, KEY),
            "false_positives": _moving.sound_false(asked.sounds, 300),
            "costs": _moving.sound_costs(asked.sounds, KEY),
        }
    out = ROOT / "bench" / "results"
    kept = out / f"{asked.name}.json"
    if asked.only and kept.exists():
        result, parts = json.loads(kept.read_text(encoding="utf-8")), {asked.only: parts[asked.only]}
    for part, measure in parts.items():
        result[part] = measure()
        sys.stderr.write(f"{part}: {json.dumps(result[part], ensure_ascii=False)}\n")
    kept.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (out / f"{asked.name}.md").write_text(written(result), encoding="utf-8")
    sys.stdout.write(written(result))


if __name__ == "__main__":
    main()
