"""A process that looks into foreign files, with little memory, little time and nothing to lose.

Parsers of two dozen formats, one of them in another language, meet bytes that somebody may have made to break them.
They run here: no database, no keys, an address space of bounded size, no new files, no network (where the system lets
a process give it up).  Whoever waits for it kills it when it takes too long, and starts another.
"""

import gc
import os
import sys
from functools import partial
from pathlib import Path

import msgspec

from safebelt.rooms.labelling.provenance.manifests import Manifests
from safebelt.rooms.labelling.service.confining import confine
from safebelt.rooms.labelling.service.inspecting import Looks, inspect
from safebelt.rooms.labelling.service.looker import OUT_OF_MEMORY, Ask, Start, received, send


def main(memory_bytes: int) -> None:
    """Be the process: answer questions from standard input until it ends."""
    confine(memory_bytes)
    gc.freeze()  # what is there now stays, and need not be looked through again and again
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not be taken for an answer
    try:
        start = msgspec.msgpack.decode(received(questions), type=Start)
        manifests = Manifests(start.home, start.listed)
        looks = Looks(keys=start.keys, font=Path(start.font) if start.font else None)
        tell = partial(send, answers)
        while True:
            asked = msgspec.msgpack.decode(received(questions), type=Ask)
            found = inspect(Path(asked.path), asked.name, manifests, looks, is_scanned=asked.is_scanned, tell=tell)
            send(answers, found)
    except EOFError:
        return
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


if __name__ == "__main__":
    main(int(sys.argv[1]))
