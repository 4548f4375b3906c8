"""Files that were marked and then tampered with, and a judge of checks that knows what was marked.

What the judge holds against a check is only what the check says: an answer *ok* that no longer holds.  It does not use
what it judges: what is bound is taken from the signed exclusions as an engine of others reads them.
"""

import hashlib
import io
import json
import random
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import c2pa
from tests.rooms.labelling.formats import media, still_files
from tests.rooms.labelling.formats.test_heif import image as heif_image

from safebelt.kernel.actors import OWNER
from safebelt.rooms.labelling.formats.kinds import MEDIA_TYPES, Kind
from safebelt.rooms.labelling.model import Axis, Checked, Mark, Verdict
from safebelt.rooms.labelling.provenance.text_manifests import TEXT_KINDS, store_in
from safebelt.rooms.labelling.service import Labelling, MarkFile

SAMPLES = {
    Kind.WEBP: "lossy.webp", Kind.MP4: "front.mp4", Kind.MOV: "a.mov", Kind.M4A: "a.m4a", Kind.MKV: "a.mkv",
    Kind.WEBM: "a.webm", Kind.AVI: "a.avi", Kind.FLV: "a.flv", Kind.WAV: "a.wav", Kind.MP3: "three.mp3",
    Kind.FLAC: "a.flac", Kind.OGG: "a.ogg", Kind.OPUS: "a.opus", Kind.AVIF: "a.avif",
}  # fmt: skip
BOXED = (Kind.MP4, Kind.MOV, Kind.M4A, Kind.AVIF, Kind.HEIC)
UNBOUND_BOXES = (b"uuid", b"ftyp", b"mfra", b"free", b"skip")
"""Boxes that a hash over boxes leaves out: the manifest's own, and those C2PA 18.7 lets a claim generator leave out."""
BINDING = (Axis.C2PA, Axis.SIGNATURE)
OF_SIGNER = (Axis.CHAIN, Axis.REVOCATION, Axis.IDENTITY, Axis.CERTIFICATE, Axis.REGISTER)


def plain(kind: Kind) -> bytes:
    """A file of a kind as other programs made it."""
    if kind in SAMPLES:
        return media.sample(SAMPLES[kind])
    if kind is Kind.HEIC:
        return heif_image().replace(b"ftypavif", b"ftypheic", 1)
    if kind is Kind.TXT:
        return "正文 text\n第二行，second line.\n".encode() * 8
    return still_files.FILES[kind]()


@dataclass
class Truth:
    """What was really marked.

    Attributes:
        files: The marked files by format: first what was only labelled, then what was signed.
        digests: SHA-256 of each file this house signed and remembers.
        signed_labels: What signatures on labels are over: value, producer, id.
        bound: What manifests are bound to: the digest of the content without the manifest.
    """

    files: dict[Kind, list[bytes]] = field(default_factory=dict)
    digests: set[str] = field(default_factory=set)
    signed_labels: set[tuple[str, str, str]] = field(default_factory=set)
    bound: set[str] = field(default_factory=set)


def marked_by(labelling: Labelling, system_id: str, folder: Path, kinds: Mapping[Kind, int]) -> Truth:
    """Mark files: of each format so many, all but the first of them signed."""
    truth = Truth()
    for kind, count in kinds.items():
        made = list[bytes]()
        for number in range(count):
            source, out = folder / f"plain.{kind.value}", folder / f"marked.{kind.value}"
            source.write_bytes(plain(kind))
            by = system_id if number else ""
            cmd = MarkFile(system_id=by, marks=frozenset({Mark.AIGC, Mark.C2PA}), is_text_signed=True)
            done = labelling.mark(source, out, cmd, by=OWNER)
            data = out.read_bytes()
            made.append(data)
            truth.digests.add(done.sha256)
            label = labelling.verify(out, is_scanned=False).labels
            if by and label:
                truth.signed_labels.add(_told(label[0].fields))
            if Mark.C2PA in done.put:
                truth.bound.add(bound(data, kind))
        truth.files[kind] = made
    return truth


def _told(fields: Mapping[str, str]) -> tuple[str, str, str]:
    return fields.get("Label", ""), fields.get("ContentProducer", ""), fields.get("ProduceID", "")


def bound(data: bytes, kind: Kind) -> str:
    """Return a digest of what a manifest is bound to: the file without what the signed exclusions leave out."""
    if kind in BOXED:
        rest = b"".join(_boxes(data))
    elif kind in TEXT_KINDS:
        wrapper = store_in(data, kind)
        assert wrapper is not None
        rest = _without(data, [(wrapper.start, wrapper.length)])
        rest = unicodedata.normalize("NFC", rest.decode()).encode()
    else:
        rest = _without(data, _exclusions(data, kind))
    return hashlib.sha256(rest).hexdigest()


def _exclusions(data: bytes, kind: Kind) -> list[tuple[int, int]]:
    settings = c2pa.Context.from_dict({"version": 1, "verify": {"verify_trust": False, "ocsp_fetch": False}})
    with c2pa.Reader(MEDIA_TYPES[kind], io.BytesIO(data), context=settings) as reader:
        said, active = json.loads(reader.crjson()), json.loads(reader.json())["active_manifest"]
    one = next(each for each in said["manifests"] if each["label"] == active)
    return [(each["start"], each["length"]) for each in one["assertions"]["c2pa.hash.data"]["exclusions"]]


def _without(data: bytes, ranges: list[tuple[int, int]]) -> bytes:
    rest, at = b"", 0
    for start, length in sorted(ranges):
        rest, at = rest + data[at:start], start + length
    return rest + data[at:]


def _boxes(data: bytes) -> Iterator[bytes]:
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4]) or len(data) - at
        size = int.from_bytes(data[at + 8 : at + 16]) if size == 1 else size
        if size < 8:
            break
        if data[at + 4 : at + 8] not in UNBOUND_BOXES:
            yield data[at : at + size]
        at += size
    yield data[at:]


def faults(found: Checked, data: bytes, truth: Truth) -> list[str]:
    """Say which answers are *ok* and do not hold of a file.

    Args:
        found: What a check came to.
        data: The file.
        truth: What was really marked.
    """
    ok = {axis for axis, one in found.axes.items() if one.verdict is Verdict.OK}
    wrong = list[str]()
    if Axis.LEDGER in ok and hashlib.sha256(data).hexdigest() not in truth.digests:
        wrong.append("the ledger remembers a file that it never saw")
    if Axis.INTEGRITY in ok and _told(found.labels[0].fields) not in truth.signed_labels:
        wrong.append("a label is signed that nobody signed")
    if ok.issuperset(BINDING) and bound(data, Kind(found.kind)) not in truth.bound:
        wrong.append("content is bound that was never signed")
    if Axis.SIGNATURE not in ok and ok & set(OF_SIGNER):
        wrong.append("a signer is vouched for without a signature")
    if Axis.TIME in ok:
        wrong.append("a time is proven that nobody stamped")
    if Axis.AIGC in ok and found.labels[0].fields.get("Label") not in ("1", "2", "3"):
        wrong.append("a label says something without saying it")
    return wrong


def ended_badly(found: Checked) -> str:
    """Say why the look into a file came to no end; empty where it did."""
    why = found.axes[Axis.EXPLICIT].reason.says.en
    return why if "stopped" in why or "unexpectedly" in why else ""


def tampered(truth: Truth, count: int, seed: int) -> Iterator[tuple[Kind, bytes]]:
    """Yield files that are none of those that were marked: a third with other marks in them, the rest damaged."""
    chance, known = random.Random(seed), {data for files in truth.files.values() for data in files}
    kinds = sorted(truth.files)
    while count:
        kind = chance.choice(kinds)
        files = truth.files[kind]
        data = _swapped(chance, files) if chance.random() < 0.33 else _damaged(chance, files)
        if data not in known:
            count -= 1
            yield kind, data


def _damaged(chance: random.Random, files: list[bytes]) -> bytes:
    if chance.random() < 0.5:
        return next(media.mutations(chance.randrange(1 << 60), 1, files))
    return still_files.mutated(chance.choice(files), chance)


def _swapped(chance: random.Random, files: list[bytes]) -> bytes:
    """Put marks of one file into another, or change what a mark says and nothing else."""
    one, other = chance.choice(files), chance.choice(files)
    how = chance.randrange(5)
    if how == 0:
        return _with_store_of(one, other)
    if how == 1:
        return _with_text_changed(chance, one, b'"1"', [b'"2"', b'"3"', b'"4"'])
    if how == 2:
        return _with_text_changed(chance, one, b"mrk_", [b"mrk-", b"mrl_"])
    if how == 3:
        return _with_text_changed(chance, one, b"001191310104MACE0YX63918020", [b"001191310104MACE0YX63918021"])
    at = chance.randrange(len(one))
    return one[:at] + other[at:]


def _with_text_changed(chance: random.Random, data: bytes, old: bytes, new: list[bytes]) -> bytes:
    """Change one of the places where a text stands, whole words of a label: its length stays as it was."""
    places, at = list[int](), data.find(old)
    while at >= 0:
        places.append(at)
        at = data.find(old, at + 1)
    if not places:
        return _damaged(chance, [data])
    at = chance.choice(places)
    return data[:at] + chance.choice(new) + data[at + len(old) :]


def _with_store_of(one: bytes, other: bytes) -> bytes:
    """Put the manifest store of another file where a file's own is, if both have one."""
    places = [_store(data) for data in (one, other)]
    (start, end), (start_of_other, end_of_other) = places
    return one[:start] + other[start_of_other:end_of_other] + one[end:]


def _store(data: bytes) -> tuple[int, int]:
    at = data.find(b"jumdc2pa")
    if at < 12:
        return len(data), len(data)
    start = at - 12
    return start, min(len(data), start + int.from_bytes(data[start : start + 4]))
