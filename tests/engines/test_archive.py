"""One file that holds many: it comes back as it was, anybody's tools open it, and no changed byte goes unnoticed."""

import gzip
import io
import json
import subprocess
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest

from safebelt.engines.archive import MANIFEST, SUMS, Reader, Writer, is_name
from safebelt.kernel.errors import Conflict, Invalid

PARTS = {"one.json": b"{}", "folder/two": b"\x00\xff" * 5000, "folder/leer": b"", "日本/三": b"x"}


def written(parts: dict[str, bytes] = PARTS, **manifest: object) -> bytes:
    out = io.BytesIO()
    with Writer(out) as archive:
        for name, data in parts.items():
            archive.add(name, data)
        archive.finish(manifest)
    return out.getvalue()


def read(data: bytes) -> tuple[dict[str, bytes], dict[str, object]]:
    reader = Reader(io.BytesIO(data))
    found = {part.name: part.file.read() for part in reader.parts()}
    return found, dict(reader.manifest)


def plain(parts: dict[str, bytes], kind: bytes = tarfile.REGTYPE) -> bytes:
    """A tar that nobody of ours wrote."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, data in parts.items():
            member = tarfile.TarInfo(name)
            member.size, member.type, member.linkname = len(data) if kind == tarfile.REGTYPE else 0, kind, "/etc/passwd"
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


def test_what_was_written_comes_back_with_its_manifest() -> None:
    found, manifest = read(written(rows={"a": 1}))

    assert found == PARTS
    assert manifest["rows"] == {"a": 1}


def test_anybodys_tools_open_it_and_check_its_sums(tmp_path: Path) -> None:
    (tmp_path / "a.tgz").write_bytes(written())

    subprocess.run(["tar", "-xzf", "a.tgz"], cwd=tmp_path, check=True)
    checked = subprocess.run(["sha256sum", "-c", SUMS], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert checked.stdout.count(": OK") == len(PARTS)
    assert json.loads((tmp_path / MANIFEST).read_text())["sums"] == sha256((tmp_path / SUMS).read_bytes()).hexdigest()


def test_every_changed_byte_inside_and_every_cut_is_noticed() -> None:
    inside = bytearray(gzip.decompress(written({"a": b"some bytes", "b": b"others"})))
    ends = inside.rfind(b"\n}\n") + 3  # what follows is the tar's own padding
    meaning = [place for place in range(ends) if inside[place] != 0]

    unnoticed = []
    for place in meaning:
        inside[place] ^= 1
        try:
            found, _ = read(gzip.compress(bytes(inside), 1))
            if found != {"a": b"some bytes", "b": b"others"}:
                unnoticed.append(place)
        except Invalid:
            pass
        inside[place] ^= 1
    whole = written()

    assert unnoticed == []
    for end in range(0, len(whole), 37):
        with pytest.raises(Invalid):
            read(whole[:end])
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 1
    with pytest.raises(Invalid):
        read(bytes(changed))


@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../b", "a//b", ".", "", "a\nb", "a\\b", "x" * 2000])
def test_a_name_that_leads_elsewhere_is_neither_written_nor_read(name: str) -> None:
    assert not is_name(name)
    with pytest.raises(Invalid):
        written({name: b""})
    if name and "\n" not in name:
        with pytest.raises(Invalid):
            read(plain({name: b"x"}))


def test_links_a_stranger_part_a_part_left_out_and_one_of_another_backup_are_refused() -> None:
    sums = f"{sha256(b'x').hexdigest()}  a\n".encode()
    manifest = json.dumps({"sums": sha256(sums).hexdigest()}).encode()
    good = {"a": b"x", SUMS: sums, MANIFEST: manifest}

    assert read(plain(good))[0] == {"a": b"x"}
    for bad in (
        plain({"a": b"x"}, tarfile.SYMTYPE),
        plain({"a": b"x"}),
        plain({"b": b"x", **good}),
        plain({SUMS: sums, MANIFEST: manifest}),
        plain({**good, "late": b"x"}),
        plain({**good, MANIFEST: b'{"sums": "0"}'}),
        plain({**good, MANIFEST: b"[" * 100_000}),
        b"",
        b"no archive at all",
    ):
        with pytest.raises(Invalid):
            read(bad)


def test_a_file_that_becomes_shorter_while_it_is_read_is_said(tmp_path: Path) -> None:
    with Writer(io.BytesIO()) as archive, pytest.raises(Conflict, match="shorter"):
        archive.add_file("grown", io.BytesIO(b"123"), 5)


def test_what_is_given_up_is_no_archive() -> None:
    out = io.BytesIO()
    with pytest.raises(ZeroDivisionError), Writer(out) as archive:
        archive.add("a", b"x" * 1_000_000)
        raise ZeroDivisionError

    with pytest.raises(Invalid):
        read(out.getvalue())
