"""What each worker tells of its upstreams: a small file each, written when something changes, read by the console.

The state of a circuit lives in the memory of the process that goes by it.  Nothing is written while all is well, and
what is written is written aside of the loop: no exchange waits for it.
"""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from safebelt.rooms.belt.model.upstreams import UpstreamSeen

FOLDER = "upstreams"


class _Told(msgspec.Struct, frozen=True):
    pid: int
    upstreams: tuple[UpstreamSeen, ...]


def tell(folder: Path, worker: int, seen: Sequence[UpstreamSeen]) -> None:
    """Write down how a worker of this process sees its upstreams.

    Args:
        folder: Of the belt.
        worker: Its number from one.
        seen: In order of preference.

    Raises:
        OSError: The disk refuses.
    """
    path = folder / FOLDER / f"w{worker}.json"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(msgspec.json.encode(_Told(os.getpid(), tuple(seen))))
    draft.replace(path)


def told(folder: Path, worker: int, pid: int) -> tuple[UpstreamSeen, ...] | None:
    """Return what a worker said; None where this process of it has said nothing that can be read."""
    try:
        found = msgspec.json.decode((folder / FOLDER / f"w{worker}.json").read_bytes(), type=_Told)
    except (OSError, msgspec.DecodeError):
        return None
    return tuple(replace(one, worker=worker) for one in found.upstreams) if found.pid == pid else None
