"""The process that looks into foreign files may hang, starve or die: whoever asked gets an answer all the same."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.rooms.certificates.test_pki_c2pa import POINT
from tests.rooms.labelling.formats.media import sample

from safebelt.rooms.labelling.model.inspection import Glimpse, Inspection
from safebelt.rooms.labelling.provenance.manifests import Manifests
from safebelt.rooms.labelling.service import looker as looker_module
from safebelt.rooms.labelling.service.digests import digest_of
from safebelt.rooms.labelling.service.inspecting import Looks, inspect
from safebelt.rooms.labelling.service.looker import Looker


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "point.jpg"
    path.write_bytes(POINT)
    return path


def test_a_look_that_never_ends_is_stopped_and_the_next_one_works(picture, tmp_path) -> None:
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)  # opening it waits for a writer that never comes
    looker = Looker("", "", seconds=60.0)
    try:
        assert looker.look(picture, picture.name).kind == "jpg"
        looker._seconds = 0.2  # only now: starting the process takes longer
        assert looker.look(pipe, pipe.name).stopped == "time"
        looker._seconds = 20.0
        assert looker.look(picture, picture.name).stopped == ""
    finally:
        looker.close()


def test_digest_and_labels_are_told_once_while_the_look_goes_on(picture, tmp_path) -> None:
    large, nothing = tmp_path / "large.jpg", tmp_path / "nothing"
    large.write_bytes(POINT + bytes(3 << 20))  # of several blocks
    nothing.write_bytes(b"")
    looker, told = Looker("", ""), list[Glimpse]()
    try:
        for path in (picture, large, nothing, picture):
            told.clear()
            found = looker.look(path, path.name, meanwhile=told.append)

            assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
            assert told == [Glimpse(sha256=found.sha256), Glimpse(labels=found.labels)]
    finally:
        looker.close()


def test_what_is_not_the_file_that_was_digested_is_not_judged(picture, tmp_path, monkeypatch) -> None:
    other = tmp_path / "other.jpg"
    other.write_bytes(POINT)
    looker, honest = Looker("", ""), looker_module.digest_of
    try:
        assert looker.look(picture, picture.name).stopped == ""
        monkeypatch.setattr(looker_module, "digest_of", lambda path, hold: honest(other, hold))
        assert looker.look(picture, picture.name) == Inspection(stopped="changed")
        monkeypatch.setattr(looker_module, "digest_of", lambda path, hold: ("", ()))
        assert looker.look(picture, picture.name) == Inspection(stopped="changed")
    finally:
        looker.close()


def test_a_file_that_is_written_to_has_no_digest_and_no_identity(picture) -> None:
    def write(*_: object) -> None:
        before = picture.stat().st_ctime_ns
        while picture.stat().st_ctime_ns == before:  # a file system gives moments in steps
            picture.write_bytes(POINT)

    assert digest_of(picture, lambda: None)[1] == inspect(picture, "p.jpg", Manifests("", ""), Looks()).identity != ()
    assert digest_of(picture, write) == ("", ())
    assert inspect(picture, "p.jpg", Manifests("", ""), Looks(), tell=write).identity == ()


def test_who_fails_meanwhile_gets_no_answer_and_nobody_gets_anothers(picture, tmp_path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("another")
    looker = Looker("", "")

    def fail(_: Glimpse) -> None:
        raise OSError("one that is no sign of the process's end")

    try:
        with pytest.raises(RuntimeError):
            looker.look(picture, picture.name, meanwhile=fail)
        assert looker.look(other, other.name).kind == "txt"
    finally:
        looker.close()


def test_a_process_that_died_is_replaced(picture) -> None:
    looker = Looker("", "")
    try:
        looker.look(picture, picture.name)
        looker._process.kill()
        looker._process.wait()

        assert looker.look(picture, picture.name).kind == "jpg"
    finally:
        looker.close()


def test_a_process_that_dies_while_it_looks_says_so(picture, tmp_path) -> None:
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    looker = Looker("", "", seconds=30.0)
    looker.look(picture, picture.name)
    process = looker._process
    killer = threading.Timer(0.3, process.send_signal, [signal.SIGSEGV])
    killer.start()
    try:
        assert looker.look(pipe, pipe.name).stopped == "crash"
    finally:
        killer.join()
        looker.close()


def test_too_little_memory_stops_the_look_and_not_the_house(tmp_path) -> None:
    large = tmp_path / "large.jpg"
    with large.open("wb") as file:
        file.write(POINT)
        file.truncate(2 << 30)
    looker = Looker("", "", memory_bytes=1 << 30)
    try:
        assert looker.look(large, large.name).stopped in ("memory", "crash")
    finally:
        looker.close()


def test_the_process_has_no_network_where_the_system_lets_it_go() -> None:
    code = (
        "from safebelt.rooms.labelling.service.confining import confine; confine(3 << 30)\n"
        "import os, socket, sys\n"
        "sys.stdout.write(os.readlink('/proc/self/ns/net') + ' ')\n"
        "try:\n"
        "    socket.create_connection(('127.0.0.1', int(sys.argv[1])), timeout=2)\n"
        "    sys.stdout.write('reached')\n"
        "except OSError:\n"
        "    sys.stdout.write('cut off')\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        done = subprocess.run([sys.executable, "-c", code, port], capture_output=True, text=True, check=True)
    network, _, said = done.stdout.partition(" ")

    if network == str(Path("/proc/self/ns/net").readlink()):
        pytest.skip("this system lets no process give up its network")
    assert said == "cut off"


def test_a_frame_of_sound_that_says_it_is_gigabytes_long_does_not_end_the_process(tmp_path) -> None:
    title = b"TIT2" + (5).to_bytes(4) + b"\0\0\0Kept"
    endless = b"\x1bgH7" + (4_000_000_000).to_bytes(4) + b"\0\0" + b"Somebody"
    path = tmp_path / "endless.mp3"
    path.write_bytes(b"ID3\x03\0\0\0\0\0" + bytes([len(title + endless)]) + title + endless + sample("bare.mp3"))
    looker = Looker("", "")
    try:
        found = looker.look(path, path.name)
        path.write_bytes(path.read_bytes().replace(b"Somebody", b"jumbc2pa"))
        claimed = looker.look(path, path.name)
    finally:
        looker.close()

    assert (found.stopped, found.kind, found.manifest, found.manifest_broken) == ("", "mp3", None, "")
    assert claimed.stopped == "" and claimed.manifest_broken
