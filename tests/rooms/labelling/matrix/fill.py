"""Marks a file of every format with every mark, asks every reader, and writes down what they said.

    python -m tests.rooms.labelling.matrix.fill [--identify PROGRAM]

`PROGRAM` is `remove-ai-watermarks`, installed apart from this project; without it, it is written down as not run.
What comes out (`tests/data/label-matrix.json`) is what the pages are made of.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.rooms.certificates.house import spare_keys
from tests.rooms.labelling.matrix import page, readers
from tests.rooms.labelling.matrix.readers import IMAGES, MEDIA, NOTICE_READERS, READERS, finds, run
from tests.rooms.labelling.matrix.specimens import lasting, shown, specimen
from tests.rooms.registry.house import build_ledger, build_registry
from tests.rooms.registry.lifecycle_house import DESCRIBED, enter, into_service
from tests.rooms.rulebook.house import build_rules

from safebelt.app import every_table
from safebelt.engines.clock import real_chance, real_ids, wall_clock
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import OWNER
from safebelt.rooms.certificates.model import Found
from safebelt.rooms.certificates.service import Certificates, Tools
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.model import Axis, Mark, Marked, Verdict
from safebelt.rooms.labelling.service import SIDECAR, Desk, Labelling, MarkFile
from safebelt.rooms.registry.model.lifecycle import Issuer

CODE = "001191310104MACE0YX63918020"
FOLDER = Path(__file__).resolve().parents[4] / "labelling"


@contextmanager
def house(folder: Path) -> Iterator[tuple[Labelling, str]]:
    """Give a house that marks, and a system of its that is in service."""
    sql = Sql(f"sqlite:///{folder / 'house.db'}")
    every_table().create_all(sql.engine)
    new_id = real_ids()
    ledger = build_ledger(sql, folder, clock=wall_clock, new_id=new_id, chance=real_chance)
    rules = build_rules(sql, ledger, wall_clock, new_id)
    registry = build_registry(sql, ledger, rules, wall_clock, new_id, folder)
    certificates = Certificates(
        Tools(
            sql=sql, ledger=ledger, registry=registry, keys=folder / "keys" / "certificates",
            base="https://ai.example.org", clock=wall_clock, chance=real_chance, make_key=spare_keys(),
        )
    )  # fmt: skip
    certificates.found(Found(organization="Mingli", country="CN", issuer=Issuer.ASSOCIATION), by=OWNER)
    desk = Desk(
        sql=sql, ledger=ledger, registry=registry, rules=rules, certificates=certificates, folder=FOLDER,
        hands=folder / "keys" / "labelling", days=90, public_base="https://ai.example.org", clock=wall_clock,
        chance=real_chance, new_id=new_id,
    )  # fmt: skip
    labelling = Labelling(CODE, lambda: desk, hands=folder / "keys" / "labelling")
    yield labelling, into_service(registry, enter(registry, DESCRIBED).id).id
    labelling.close()
    sql.close()


def filled(folder: Path, identify: str) -> dict[str, Any]:
    """Return what every reader said of every mark."""
    tools = readers.versions()
    if identify:
        tools["remove-ai-watermarks"] = run(identify, "--version").split()[-1]
    with house(folder) as (labelling, system):
        formats = {kind.value: _row(kind, labelling, system, folder, identify) for kind in Kind}
    return {"tools": tools, "formats": formats}


def _row(kind: Kind, labelling: Labelling, system: str, folder: Path, identify: str) -> dict[str, Any]:
    source = folder / f"in.{kind.value}"
    source.write_bytes(specimen(kind))
    seen = folder / f"seen.{kind.value}"
    if kind in MEDIA:
        lasting(kind, seen)
    else:
        seen.write_bytes(shown(kind))
    row = dict[str, Any]()
    for mark in Mark:
        out = folder / f"{mark.value}.{kind.value}"
        marks = frozenset({mark} | ({Mark.AIGC} if mark is Mark.C2PA else set()))  # a signed file is labelled, too
        wish = MarkFile(system_id=system, marks=marks, is_text_signed=True)
        is_within = mark in (Mark.EXPLICIT, Mark.WATERMARK)
        made = labelling.mark(seen if is_within else source, out, wish, by=OWNER)
        row[mark.value] = _cell(kind, mark, made, source, out, labelling, identify)
    return row


def _cell(
    kind: Kind, mark: Mark, made: Marked, source: Path, out: Path, labelling: Labelling, identify: str
) -> dict[str, Any]:
    if mark not in made.put:
        return {"left_out": {"zh": made.left_out[mark].zh, "en": made.left_out[mark].en}}
    cell: dict[str, Any] = {"put": _place(made.put[mark], out), "readers": {}}
    if mark is Mark.AIGC:
        label = labelling.verify(out).labels
        asked = out.with_name(out.name + SIDECAR)
        fields = label[0].fields if label else json.loads(asked.read_text("utf-8"))["AIGC"]
        cell["readers"] = _labels_read(kind, out, dict(fields), identify)
    if mark is Mark.C2PA:
        cell["readers"]["encypher-c2pa"] = readers.c2pa_state(out, kind, labelling.desk.roots())
    if mark is Mark.WATERMARK:
        cell["put"], found = "64 bit", labelling.verify(out).axes[Axis.WATERMARK].verdict
        cell["readers"]["Safebelt"] = found is Verdict.OK
    if mark is Mark.EXPLICIT:
        asked_of = NOTICE_READERS.get(kind, {})
        found = labelling.verify(out).axes[Axis.EXPLICIT].verdict
        cell["readers"] = {name: "生成" in read(out) for name, read in asked_of.items()} or {
            "Safebelt": found is Verdict.OK
        }
    if mark in (Mark.AIGC, Mark.C2PA):
        by, before = readers.essence(source, kind)
        cell["essence"] = {"by": by, "is_same": bool(before) and before == readers.essence(out, kind)[1]}
    return cell


def _place(put: str, out: Path) -> str:
    return "<file>.aigc.json" if put == out.name + SIDECAR else put


def _labels_read(kind: Kind, out: Path, label: dict[str, str], identify: str) -> dict[str, bool]:
    beside = out.with_name(out.name + SIDECAR)
    if beside.exists():
        return {"json": json.loads(beside.read_text("utf-8"))["AIGC"] == label}
    said = {name: finds(reader, out, kind, label) for name, reader in READERS.items() if kind in reader.kinds}
    if identify and kind in (*IMAGES, Kind.HEIC, *MEDIA) and (report := _report(identify, out)) is not None:
        said["remove-ai-watermarks"] = label["ContentProducer"] in json.dumps(report.get("signals", ()))
    return said


def _report(identify: str, out: Path) -> dict[str, Any] | None:
    """Return what the program says of a picture, film or sound; None where it says nothing."""
    try:
        said = run(identify, "identify", "--json", "--no-visible", out)
        found: dict[str, Any] = json.loads(said[said.index("{") :])  # a warning may stand before it
    except ValueError:
        return None
    return found


def main() -> None:
    """Fill the data file and write the pages."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--identify", default="", help="path of remove-ai-watermarks")
    identify = asked.parse_args().identify
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HOME"] = os.environ["XDG_CONFIG_HOME"] = folder  # where the second engine keeps its preferences
        data = filled(Path(folder), identify)
    page.DATA.write_text(json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")
    page.write(page.load())


if __name__ == "__main__":
    main()
