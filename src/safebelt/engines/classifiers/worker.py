"""The process that classifies: answers from standard input until that ends, with bounded memory and nothing to lose."""

import os
import resource
import sys
from typing import BinaryIO

import msgspec

from safebelt.engines.classifiers import MAX_FRAME_BYTES
from safebelt.engines.classifiers.guardian import Guardian

MEMORY_BYTES = 1024**3
READY = b"ready"


def main() -> None:
    """Be the process."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a package prints must not be taken for an answer
    guardian = Guardian()
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # from here on it only thinks
    _send(answers, READY)
    while (question := _received(questions)) is not None:
        texts = msgspec.msgpack.decode(question, type=list[str])
        _send(answers, msgspec.msgpack.encode([guardian.score(text) for text in texts]))


def _received(stream: BinaryIO) -> bytes | None:
    head = stream.read(4)
    if len(head) < 4:
        return None
    size = int.from_bytes(head, "big")
    body = stream.read(size) if size <= MAX_FRAME_BYTES else b""
    return body if len(body) == size else None


def _send(stream: BinaryIO, body: bytes) -> None:
    stream.write(len(body).to_bytes(4, "big") + body)
    stream.flush()


if __name__ == "__main__":
    main()
