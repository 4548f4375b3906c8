"""Offline proof that a record was in the log: C2SP tlog-proof (c2sp.org/tlog-proof), self-contained.

The `extra` line carries the record's core, which is the leaf: the file alone and a public key are enough.
"""

from base64 import b64decode, b64encode
from collections.abc import Sequence

from safebelt.kernel.errors import Invalid, Problem
from safebelt.kernel.merkle import leaf_hash, verify_inclusion
from safebelt.kernel.text import Text
from safebelt.rooms.belt.records.head import Open, origin_of

_HEADER = "c2sp.org/tlog-proof@v1"


def render(core: bytes, index: int, path: Sequence[bytes], note: str) -> str:
    """Return the proof as text, to be kept as `.tlog-proof`."""
    hashes = "".join(f"{b64encode(node).decode()}\n" for node in path)
    return f"{_HEADER}\nextra {b64encode(core).decode()}\nindex {index}\n{hashes}\n{note}"


def check(text: str, *, open_note: Open, log_origin: str) -> bytes:
    """Return the core of the record that a proof proves.

    Args:
        text: The proof.
        open_note: Signed note → its text, or raises Problem where no trusted key signed it.
        log_origin: Name of the log it must be from.

    Raises:
        Invalid: This is no proof, or it proves nothing.
        Problem: No trusted key signed its head.
    """
    try:
        proof, _, note = text.partition("\n\n")
        _, extra, index, *path = proof.split("\n")
        core = b64decode(extra.removeprefix("extra "), validate=True)
        nodes = [b64decode(node, validate=True) for node in path]
        origin, size, root = open_note(note).removesuffix("\n").split("\n")
        place = int(index.removeprefix("index "))
        # written again it must be the same text: base64 and numbers have spellings that mean the same
        is_ours = text == render(core, place, nodes, note) and origin == origin_of(
            log_origin, origin.rpartition("/")[2]
        )
        is_in = verify_inclusion(place, int(size), leaf_hash(core), nodes, b64decode(root, validate=True))
    except Problem:
        raise
    except ValueError as error:
        raise _no_proof() from error
    if not (is_ours and is_in):
        raise _no_proof()
    return core


def _no_proof() -> Invalid:
    return Invalid(
        what=Text(zh="该文件不能证明任何记录。", en="This file proves no record."),
        hint=Text(zh="请重新取得证明；原文件可能被改动过。", en="Get the proof again; this one may have been changed."),
    )
