"""A process that looks into foreign files, with little memory, little time and nothing to lose.

Parsers of two dozen formats, one of them in another language, meet bytes that somebody may have made to break them.
They run here: no database, no keys, an address space of bounded size, no new files, no network (where the system lets
a process give it up).  Whoever waits for it kills it when it takes too long, and starts another.
"""

import ctypes
import os
import resource
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from safebelt.rooms.labelling.provenance.manifests import Manifests
from safebelt.rooms.labelling.service.inspecting import inspect
from safebelt.rooms.labelling.service.looker import OUT_OF_MEMORY, Ask, Start, received, send

_FILES = 64
_NEW_NETWORK, _NEW_USER = 0x40000000, 0x10000000  # unshare(2): CLONE_NEWNET, CLONE_NEWUSER
_NO_NEW_PRIVILEGES = 38  # prctl(2)


def main(memory_bytes: int) -> None:
    """Be the process: answer questions from standard input until it ends."""
    _confine(memory_bytes)
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not be taken for an answer
    try:
        start = msgspec.msgpack.decode(received(questions), type=Start)
        manifests = Manifests(start.home, start.listed)
        while True:
            asked = msgspec.msgpack.decode(received(questions), type=Ask)
            found = inspect(Path(asked.path), asked.name, manifests, start.keys, is_scanned=asked.is_scanned)
            send(answers, found)
    except EOFError:
        return
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


def _confine(memory_bytes: int) -> None:
    """Give up what a look into a file does not need; what a system has no way to give up, is kept."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        if libc.unshare(_NEW_NETWORK):
            libc.unshare(_NEW_USER | _NEW_NETWORK)


if __name__ == "__main__":
    main(int(sys.argv[1]))
