"""What labels cost: writing one beside copying the file, signing a picture on its way, and checking one whole.

All in one run and in turns, so that a busy neighbour disturbs all alike, and the least of each counts; the ratios are
the result, absolutes depend on the machine.  Files of four megabytes and more, made by the programs that usually make
them (`_labels_files`).

*Write* is what the house does with a file: map it, find the places, copy what stays within the kernel, put the label
between.  *Copy* is the kernel's copy of the same file, *SHA-256* a digest of it.  Reading back is apart.

Signing and checking are of a JPEG of one megapixel, by a house with its database, its authority and its log on disk.
*Anew* asks the house's records about the signer each time; otherwise what they said is held for half a second, unless
anything in the database was changed since (`service.holding`).

Run: `python -m bench.labels [--rounds 25] [--quick]`.
"""

import argparse
import hashlib
import io
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import docx
import pikepdf
import pptx
from tests.rooms.certificates.house import spare_keys
from tests.rooms.labelling.conftest import CODE, DATA
from tests.rooms.registry.house import build_ledger, build_registry
from tests.rooms.registry.lifecycle_house import DESCRIBED, enter, into_service
from tests.rooms.rulebook.house import build_rules

from bench import _labels_files
from safebelt.engines.clock import real_chance, real_ids, wall_clock
from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.actors import OWNER
from safebelt.rooms.certificates.model import Found
from safebelt.rooms.certificates.service import Certificates, Tools
from safebelt.rooms.labelling.formats import files
from safebelt.rooms.labelling.formats.carrier import Unwritable
from safebelt.rooms.labelling.formats.kinds import Kind, carrier_of
from safebelt.rooms.labelling.model import Axis, Verdict
from safebelt.rooms.labelling.provenance.manifests import Manifests
from safebelt.rooms.labelling.service import Desk, Labelling, MarkFile
from safebelt.rooms.registry.model.lifecycle import Issuer

ROOT = Path(__file__).resolve().parents[1]
ASKED_COMMON, ASKED_ANY, AIM = 2.5, 8.0, 1.5
COMMON = (Kind.JPEG, Kind.PNG, Kind.WEBP, Kind.MP3, Kind.MP4)
ASKED_SIGN_MS, AIM_SIGN_MS, ASKED_VERIFY_MS = 1.0, 0.6, 1.5
IN_A_ROW = 20
"""Pictures signed, or checked, one after another, before the next deed has its turn."""
VALUE = json.dumps(
    {"Label": "1", "ContentProducer": CODE, "ProduceID": "mrk_01k9x3", "ReservedCode1": "", "ContentPropagator": "",
     "PropagateID": "", "ReservedCode2": ""}, separators=(",", ":"),
)  # fmt: skip
BASE = "https://ai.example.org"
Deeds = Mapping[str, Callable[[], object]]


def timed(deeds: Deeds, rounds: int, in_a_row: int = 1) -> dict[str, dict[str, float]]:
    """Time deeds in turns; milliseconds, median and least of all, and median of those that came after another deed.

    Args:
        deeds: What is timed.
        rounds: How often it is each deed's turn.  The first round is not counted: caches fill in it.
        in_a_row: How often a deed is done in its turn, as a service does it that has nothing else to do.
    """
    spent: dict[str, list[float]] = {name: [] for name in deeds}
    for number in range(rounds + 1):
        for name, do in deeds.items():
            for _ in range(in_a_row):
                began = time.perf_counter()
                do()
                if number:
                    spent[name].append((time.perf_counter() - began) * 1000)
    return {
        name: {
            "median": round(statistics.median(each), 3),
            "least": round(min(each), 3),
            "first": round(statistics.median(each[::in_a_row]), 3),
        }
        for name, each in spent.items()
    }


def label(source: Path, out: Path, kind: Kind) -> None:
    """Write a labelled copy of a file, as the house does."""
    with files.opened(source) as (file, data):
        files.write(file, carrier_of(kind).write(data, VALUE), out)


def read_back(out: Path, kind: Kind) -> list[str]:
    with files.opened(out) as (_, data):
        return [one.value for one in carrier_of(kind).read(data)]


def digest(path: Path) -> str:
    with files.opened(path) as (_, data):
        return hashlib.sha256(data).hexdigest()


class Exiftool:
    """The peer for metadata: one process for all files, as its makers advise."""

    def __init__(self, program: str) -> None:
        command = [program, "-stay_open", "True", "-@", "-"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def write(self, source: Path, out: Path) -> str:
        out.unlink(missing_ok=True)
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"-XMP-dc:Description={VALUE}\n-o\n{out}\n{source}\n-execute\n")
        self._process.stdin.flush()
        said = ""
        while not (line := self._process.stdout.readline()).startswith("{ready"):
            said += line
        return said

    def close(self) -> None:
        self._process.communicate("-stay_open\nFalse\n")


def peers(kind: Kind, source: Path, out: Path, exiftool: Exiftool | None) -> dict[str, Callable[[], object]]:
    """Return what else writes a text into a file's metadata, where it can."""
    found: dict[str, Callable[[], object]] = {}
    if exiftool is not None and "1 image files created" in exiftool.write(source, out):
        found["exiftool"] = lambda: exiftool.write(source, out)
    if kind is Kind.PDF:
        found["pikepdf"] = lambda: _pikepdf(source, out)
    if kind is Kind.DOCX:
        found["python-docx"] = lambda: _package(docx.Document(str(source)), out)
    if kind is Kind.PPTX:
        found["python-pptx"] = lambda: _package(pptx.Presentation(str(source)), out)
    return found


def _pikepdf(source: Path, out: Path) -> None:
    with pikepdf.open(source) as opened:
        opened.docinfo["/AIGC"] = VALUE
        opened.save(out)


def _package(opened: Any, out: Path) -> None:
    opened.core_properties.comments = VALUE[:255]
    opened.save(str(out))


def writing(folder: Path, rounds: int) -> list[dict[str, Any]]:
    """Time writing a label into a file of every format."""
    program, rows = shutil.which("exiftool"), list[dict[str, Any]]()
    exiftool = Exiftool(program) if program else None
    for kind in Kind:
        source = folder / f"plain.{kind.value}"
        outs = {name: folder / f"{name}.{kind.value}" for name in ("copy", "write", "peer")}
        _say(f"making {kind.value}")
        _labels_files.make(kind, source)
        deeds: dict[str, Callable[[], object]] = {
            "copy": lambda: shutil.copyfile(source, outs["copy"]),  # noqa: B023  called within the round
            "sha256": lambda: digest(source),  # noqa: B023
        }
        is_written = True
        try:
            label(source, outs["write"], kind)
        except Unwritable:
            is_written = False  # plain text: its label stands beside it
        if is_written:
            assert read_back(outs["write"], kind) == [VALUE], kind
            deeds["write"] = lambda: label(source, outs["write"], kind)  # noqa: B023
            deeds["read"] = lambda: read_back(outs["write"], kind)  # noqa: B023
        _say(f"timing {kind.value}")
        others = peers(kind, source, outs["peer"], exiftool)
        spent = timed(deeds | others, rounds)
        rows.append(_row(kind, source, spent, [*others]))
        for path in (source, *outs.values()):
            path.unlink(missing_ok=True)
    if exiftool is not None:
        exiftool.close()
    return rows


def _row(kind: Kind, source: Path, spent: dict[str, dict[str, float]], others: list[str]) -> dict[str, Any]:
    copy, sha = spent["copy"]["median"], spent["sha256"]["median"]
    write = spent.get("write", {}).get("least")
    return {
        "format": kind.value,
        "megabytes": round(source.stat().st_size / 1e6, 1),
        "ms": spent,
        "write_to_copy": round(write / copy, 2) if write else None,
        "write_to_sha256": round(write / sha, 2) if write else None,
        "peers_to_copy": {name: round(spent[name]["least"] / copy, 1) for name in others},
    }


@contextmanager
def housed(folder: Path) -> Iterator[tuple[Labelling, str]]:
    """A house on disk with an authority, a log, and a system in service."""
    from safebelt.rooms.certificates.room import ROOM as CERTIFICATES  # noqa: PLC0415  tables
    from safebelt.rooms.labelling.room import ROOM as LABELLING  # noqa: PLC0415
    from safebelt.rooms.ledger.room import ROOM as LEDGER  # noqa: PLC0415
    from safebelt.rooms.registry.room import ROOM as REGISTRY  # noqa: PLC0415
    from safebelt.rooms.rulebook.room import ROOM as RULEBOOK  # noqa: PLC0415

    sql, new_id = Sql(f"sqlite:///{folder / 'house.db'}"), real_ids()
    for room in (LEDGER, REGISTRY, CERTIFICATES, RULEBOOK, LABELLING):
        metadata.create_all(sql.engine, tables=list(room.tables))
    ledger = build_ledger(sql, folder, clock=wall_clock, new_id=new_id, chance=real_chance)
    rules = build_rules(sql, ledger, wall_clock, new_id)
    registry = build_registry(sql, ledger, rules, wall_clock, new_id, folder)
    certificates = Certificates(
        Tools(sql=sql, ledger=ledger, registry=registry, keys=folder / "keys" / "certificates", base=BASE,
              clock=wall_clock, chance=real_chance, make_key=spare_keys())
    )  # fmt: skip
    certificates.found(Found(organization="Bench", country="CN", issuer=Issuer.ASSOCIATION), by=OWNER)
    system = into_service(registry, enter(registry, DESCRIBED).id)

    def furnish() -> Desk:
        return Desk(
            sql=sql, ledger=ledger, registry=registry, rules=rules, certificates=certificates, folder=DATA,
            hands=folder / "keys" / "labelling", days=90, public_base=BASE, clock=wall_clock, chance=real_chance,
            new_id=new_id,
        )  # fmt: skip

    labelling = Labelling(CODE, furnish, hands=folder / "keys" / "labelling")
    try:
        yield labelling, system.id
    finally:
        labelling.close()
        sql.close()


def picture() -> bytes:
    """A photograph of one megapixel."""
    import cv2  # noqa: PLC0415  only here
    from sklearn.datasets import load_sample_image  # noqa: PLC0415

    photo = cv2.resize(load_sample_image("china.jpg"), (1250, 800), interpolation=cv2.INTER_CUBIC)
    return bytes(cv2.imencode(".jpg", photo[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])[1])


def signing(folder: Path, rounds: int) -> dict[str, Any]:
    """Time what a content costs on its way, and what it costs to check it."""
    with housed(folder) as (labelling, system_id):
        plain, marked, copied = folder / "plain.jpg", folder / "marked.jpg", folder / "copy.jpg"
        plain.write_bytes(picture())
        labelling.desk.keyring.key(is_made=True)  # without one nothing would be searched for
        labelling.mark(plain, marked, MarkFile(system_id=system_id), by=OWNER)
        labelling.desk.ledger.advance()
        data, made = plain.read_bytes(), marked.read_bytes()
        found = labelling.verify(marked, is_scanned=False)
        holding = sorted(axis.value for axis, one in found.axes.items() if one.verdict is Verdict.OK)
        assert {Axis.AIGC, Axis.C2PA, Axis.SIGNATURE, Axis.CHAIN, Axis.REVOCATION, Axis.LEDGER} <= set(holding)
        engine = Manifests(labelling.desk.roots())

        def anew() -> None:
            labelling.ask_anew()
            labelling.verify(marked, is_scanned=False)

        spent = timed(
            {
                "copy": lambda: shutil.copyfile(marked, copied),
                "sha256": lambda: hashlib.sha256(made).digest(),
                "sign": lambda: labelling.mark_bytes(data, "exc_0123456789", system_id),
                "verify": lambda: labelling.verify(marked, is_scanned=False),
                "engine": lambda: engine.read_from(io.BytesIO(made), Kind.JPEG),
            },
            rounds,
            IN_A_ROW,
        )
        spent |= timed({"anew": anew, "scanned": lambda: labelling.verify(marked)}, rounds)
        return {"bytes": len(made), "ms": spent, "ok": holding}


def _ms(spent: Mapping[str, Mapping[str, float]], name: str) -> str:
    one = spent[name]
    return f"{one['median']:.3f} | {one['least']:.3f} | {one['first']:.3f}"


def as_markdown(found: Mapping[str, Any]) -> str:
    rows, one = found["writing"], found["picture"]
    spent, written = one["ms"], [row for row in rows if row["write_to_copy"]]
    worst_common = max(row["write_to_copy"] for row in written if row["format"] in COMMON)
    worst = max(written, key=lambda row: row["write_to_copy"])
    sign, verify = spent["sign"], spent["verify"]
    lines = [
        "# Labels",
        "",
        f"{found['measured_at']}, {found['machine']}, Python {found['python']}; load before: {found['load']}.",
        "",
        f"**AIGC write: at most {worst_common} times a copy for JPEG, PNG, WebP, MP3 and MP4 (asked: {ASKED_COMMON}; "
        f"aim {AIM}), at most {worst['write_to_copy']} for any format ({worst['format']}; asked: {ASKED_ANY:g}). "
        f"Sign and label a JPEG of one megapixel: {sign['median']} ms, least {sign['least']} (asked: {ASKED_SIGN_MS}; "
        f"aim {AIM_SIGN_MS}). Check it whole: {verify['median']} ms, least {verify['least']} "
        f"(asked: {ASKED_VERIFY_MS}).**",
        "",
        "| format | MB | copy, ms | SHA-256, ms | write, ms | write : copy | write : SHA-256 | read back, ms "
        "| peers : copy |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        times = {name: f"{each['least']:.2f}" for name, each in row["ms"].items()}
        others = ", ".join(f"{name} {ratio}" for name, ratio in row["peers_to_copy"].items()) or "—"
        lines.append(
            f"| {row['format']} | {row['megabytes']} | {times['copy']} | {times['sha256']} | {times.get('write', '—')} "
            f"| {row['write_to_copy'] or '—'} | {row['write_to_sha256'] or '—'} | {times.get('read', '—')} | {others} |"
        )
    copy, sha = spent["copy"]["median"], spent["sha256"]["median"]
    lines += [
        "",
        "The least of each, which a busy neighbour disturbs least. Plain text has no place for a label: it stands in a",
        "file beside it. JSON is read as a whole, since a key may stand twice; SVG is, since an element may be hidden",
        "in a comment.",
        "",
        f"A JPEG of one megapixel, {one['bytes']:,} bytes; deeds in turns, {IN_A_ROW} times in a row each. *First*:",
        "the median of the first of each row, which finds the processor's caches full of another deed:",
        "",
        "| deed | median, ms | least | first | median : copy | median : SHA-256 |",
        "|---|---:|---:|---:|---:|---:|",
        *(
            f"| {title} | {_ms(spent, name)} | {spent[name]['median'] / copy:.1f} | {spent[name]['median'] / sha:.1f} |"
            for name, title in (
                ("copy", "copy the file"),
                ("sha256", "SHA-256 of the same bytes"),
                ("sign", "label and sign it, in memory"),
                ("verify", "check it whole: label, binding, signature, chain, revocation, register, ledger"),
                ("anew", "the same, the house's records asked anew"),
                ("scanned", "the same, with the search for a watermark, and the fingerprint"),
                ("engine", "the C2PA engine alone, with our root: label, register and ledger are not in it"),
            )
        ),
        "",
        f"*ok* in that check: {', '.join(one['ok'])}. The file is read by another process, as every file is.",
    ]
    return "\n".join(lines) + "\n"


def _say(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{text:<40}")
        sys.stderr.flush()


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and keep the results."""
    parser = argparse.ArgumentParser(description="What labels cost.")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--quick", action="store_true", help="few rounds, whose figures are not kept")
    given = parser.parse_args(arguments)
    rounds = 3 if given.quick else given.rounds
    with tempfile.TemporaryDirectory(prefix="safebelt-labels-") as name:
        found = {
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "python": platform.python_version(),
            "load": ", ".join(f"{each:.1f}" for each in os.getloadavg()),
            "picture": signing(Path(name), rounds),
            "writing": writing(Path(name), rounds),
        }
    said = as_markdown(found)
    sys.stdout.write(said)
    if not given.quick:
        results = ROOT / "bench" / "results"
        results.mkdir(exist_ok=True)
        (results / "labels.json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")
        (results / "labels.md").write_text(said, "utf-8")


if __name__ == "__main__":
    main([] if Path(sys.argv[0]).name == "__main__.py" else None)
