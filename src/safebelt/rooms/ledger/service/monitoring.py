"""Watching another log: what it shows now against what it showed before, and against what others were shown.

    monitor = Monitor(place, keys, state, new_client=real_client)
    for sighting in monitor.look(also=["witness.note"]):
        …

The checkpoint kept from before lies in a file of its own, as the log signed it; it is replaced by a larger one only
when the log's own tiles show that it only grew.  Evidence is written beside it.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from safebelt.engines.signing import VerifierKey
from safebelt.kernel import merkle
from safebelt.kernel.errors import Invalid, Problem, Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.ledger import decide
from safebelt.rooms.ledger.model import Checkpoint, Sight, Sighting
from safebelt.rooms.ledger.service.checking import opener
from safebelt.rooms.ledger.service.elsewhere import Elsewhere, NewClient, open_log, read_note_at
from safebelt.rooms.ledger.tiles import Missing


class Monitor:
    """One other log, watched from one state file.

    Args:
        place: The log's prefix (`https://host/log`), or a folder that holds `checkpoint` and `tile/`.
        keys: Verifier keys the log may sign with.
        state: File of the checkpoint kept; made at the first look.
        new_client: Makes an HTTP client.
    """

    def __init__(self, place: str, keys: Sequence[VerifierKey], state: Path, *, new_client: NewClient) -> None:
        self._place, self._state, self._new_client = place, state, new_client
        self._keys = tuple(keys)

    def look(self, also: Sequence[str] = ()) -> list[Sighting]:
        """Look at the log once.

        Args:
            also: Files or addresses of checkpoints that others hold, for example those that its witnesses cosigned.

        Returns:
            What the log itself came to, then each of `also`.

        Raises:
            Refused, Invalid: The state file holds something else than a checkpoint that the keys given signed.
            Unavailable: It cannot be read or written.
        """
        with _locked(self._state):
            kept = self._kept()
            with open_log(self._place, self._new_client) as log:
                first = self._look_at(log, kept)
                found = [first, *(self._compare_with(log, each, first.shown or kept) for each in also)]
            for sighting in found:
                if sighting.evidence:
                    _write(self.evidence_file(sighting), sighting.evidence)
            if first.shown is not None and first.sight in (Sight.FIRST, Sight.GREW):
                _write(self._state, first.shown.note)
        return found

    def evidence_file(self, sighting: Sighting) -> Path:
        """Return where the evidence of a sighting is kept."""
        digest = sha256(sighting.evidence.encode()).hexdigest()
        return self._state.with_name(f"{self._state.name}.{sighting.sight}-{digest[:16]}")

    def _look_at(self, log: Elsewhere, kept: Checkpoint | None) -> Sighting:
        try:
            shown = self._opened(log.note())
        except Unavailable as problem:
            return Sighting(sight=Sight.UNREACHABLE, place=self._place, kept=kept, says=problem.what)
        except (Problem, ValueError) as error:
            return Sighting(sight=Sight.FORGED, place=self._place, kept=kept, says=_why(error))
        if kept is not None and shown.origin != kept.origin:
            return Sighting(sight=Sight.FORGED, place=self._place, kept=kept, shown=shown, says=_ANOTHER_LOG)
        return self._judged(log, self._place, kept, shown)

    def _judged(self, log: Elsewhere, place: str, kept: Checkpoint | None, shown: Checkpoint) -> Sighting:
        """Hold a checkpoint against the one kept, by the log's tiles."""
        try:
            if kept is None:
                is_shown = shown.root == merkle.root_at(shown.size, log.nodes(shown.size))
                sight, evidence = (Sight.FIRST, "") if is_shown else (Sight.UNPROVEN, shown.note)
            else:
                larger = max(kept.size, shown.size)
                sight, evidence = decide.compare(kept, shown, log.nodes(larger))
        except Missing as missing:
            is_older = kept is not None and shown.size < kept.size
            sight, says = (Sight.OLDER, None) if is_older else (Sight.UNREACHABLE, _no_tile(str(missing)))
            return Sighting(sight=sight, place=place, kept=kept, shown=shown, says=says)
        except Unavailable as problem:
            return Sighting(sight=Sight.UNREACHABLE, place=place, kept=kept, shown=shown, says=problem.what)
        except ValueError as error:
            sight, evidence = Sight.UNPROVEN, shown.note if kept is None else _both(kept, shown)
            return Sighting(sight=sight, place=place, kept=kept, shown=shown, evidence=evidence, says=_why(error))
        if kept is not None and shown.size < kept.size and sight in (Sight.GREW, Sight.UNPROVEN):
            sight, evidence = Sight.OLDER, ""
        return Sighting(sight=sight, place=place, kept=kept, shown=shown, evidence=evidence)

    def _compare_with(self, log: Elsewhere, place: str, ours: Checkpoint | None) -> Sighting:
        """Hold a checkpoint that somebody else was shown against what the log shows us."""
        try:
            theirs = self._opened(read_note_at(place, self._new_client))
        except Unavailable as problem:
            return Sighting(sight=Sight.UNREACHABLE, place=place, kept=ours, says=problem.what)
        except (Problem, ValueError) as error:
            return Sighting(sight=Sight.FORGED, place=place, kept=ours, says=_why(error))
        if ours is None:
            return Sighting(sight=Sight.UNREACHABLE, place=place, shown=theirs, says=_NOTHING_TO_COMPARE)
        if ours.origin != theirs.origin:
            return Sighting(sight=Sight.FORGED, place=place, kept=ours, shown=theirs, says=_ANOTHER_LOG)
        found = self._judged(log, place, theirs, ours)  # what others were shown is as good as what we kept
        return replace(found, kept=ours, shown=theirs)

    def _kept(self) -> Checkpoint | None:
        try:
            note = self._state.read_text("utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise _unusable(self._state, str(error)) from error
        try:
            return self._opened(note)
        except ValueError as error:
            raise _no_state(self._state) from error

    def _opened(self, note: str) -> Checkpoint:
        """Read a checkpoint that one of the keys has signed.

        Raises:
            Invalid: It is no note.
            Refused: It is not signed by a key of this log.
            ValueError: It is no checkpoint.
        """
        checkpoint = decide.parse_checkpoint(note)
        text, _ = opener(self._keys)(note)
        if text != decide.text_of(note):
            raise ValueError("more was signed than the checkpoint that was read")
        return checkpoint


@contextmanager
def _locked(state: Path) -> Iterator[None]:
    """Let one monitor at a time use a state file, so that none puts an older checkpoint in the place of a newer."""
    try:
        state.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(state.with_name(f".{state.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _unusable(state, error.strerror or str(error)) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(path: Path, text: str) -> None:
    """Write a file whole and durably, or not at all."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=".", dir=path.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error


def _both(one: Checkpoint, other: Checkpoint) -> str:
    old, new = sorted((one, other), key=lambda checkpoint: checkpoint.size)
    return decide.write_evidence(old, new)


def _why(error: Exception) -> Text:
    if isinstance(error, Problem):
        return error.what
    return Text(zh="内容不是检查点，或瓦片残缺。", en="It is no checkpoint, or a tile is not whole.")


def _no_tile(path: str) -> Text:
    return Text(zh=f"日志没有提供 {path}。", en=f"The log does not serve {path}.")


_ANOTHER_LOG = Text(zh="这是另一份日志的检查点。", en="It is the checkpoint of another log.")
_NOTHING_TO_COMPARE = Text(zh="没有可供比较的检查点。", en="There is no checkpoint of the log to compare it with.")


def _unusable(path: Path, why: str) -> Unavailable:
    return Unavailable(
        what=Text(zh=f"无法使用文件 {path}：{why}。", en=f"The file {path} cannot be used: {why}."),
        hint=Text(zh="请核对路径、权限和磁盘空间。", en="Check the path, its permissions and the disk's free space."),
    )


def _no_state(path: Path) -> Invalid:
    return Invalid(
        what=Text(zh=f"文件 {path} 不是已签名的检查点。", en=f"The file {path} is no signed checkpoint."),
        hint=Text(
            zh="请指向监测器自己写下的状态文件；若已损坏，保留它并换一个新文件。",
            en="Name the file that the monitor wrote; where it is damaged, keep it, and begin with a new one.",
        ),
        details={"field": "state"},
    )
