"""Blobs are whole or absent, named by their content, and checked when read."""

import errno
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safebelt.engines.blobs.folder import Folder
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Unavailable


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "blobs", max_bytes=1000)


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.lists(st.binary(max_size=40), max_size=5))
def test_what_was_put_comes_back_under_its_digest(folder, chunks) -> None:
    digest = folder.put(chunks)

    assert digest == sha256(b"".join(chunks)).hexdigest()
    assert folder.get(digest) == b"".join(chunks)
    assert folder.has(digest)


def test_the_same_content_is_kept_once(folder, tmp_path) -> None:
    assert folder.put([b"a", b"b"]) == folder.put([b"ab"])
    assert len(files(tmp_path)) == 1


def test_a_changed_file_is_named_and_never_served(folder, tmp_path) -> None:
    digest = folder.put([b"truth"])
    files(tmp_path)[0].write_bytes(b"trick")

    with pytest.raises(Conflict, match=digest):
        folder.get(digest)


def test_a_blob_that_is_too_large_leaves_nothing_behind(folder, tmp_path) -> None:
    with pytest.raises(Invalid, match="1000 bytes"):
        folder.put(b"x" * 100 for _ in range(11))

    assert files(tmp_path) == []


def test_a_source_that_breaks_off_leaves_nothing_behind(folder, tmp_path) -> None:
    def source():
        yield b"half"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        folder.put(source())

    assert files(tmp_path) == []


def test_a_full_disk_is_said_so_and_leaves_nothing_behind(folder, tmp_path, monkeypatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)

    with pytest.raises(Unavailable, match="No space left"):
        folder.put([b"x"])
    assert files(tmp_path) == []


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_only_digests_are_names(folder, digest) -> None:
    with pytest.raises(Invalid):
        folder.get(digest)


def test_an_erased_blob_is_gone_and_erasing_again_is_harmless(folder) -> None:
    digest = folder.put([b"x"])
    folder.erase(digest)
    folder.erase(digest)

    assert not folder.has(digest)
    with pytest.raises(NotFound):
        folder.get(digest)


def test_nobody_else_can_look_into_the_store(folder, tmp_path) -> None:
    folder.put([b"x"])

    assert (tmp_path / "blobs").stat().st_mode & 0o077 == 0
    assert files(tmp_path)[0].stat().st_mode & 0o077 == 0
