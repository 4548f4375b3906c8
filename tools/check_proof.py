"""Checks a Safebelt proof without Safebelt.  Needs Python 3.9 or newer and the package `cryptography`.

    python check_proof.py FILE.proof PUBLIC-KEY-FILE

Exit 0: the proof holds, and what it proves is printed.  Exit 1: it does not.
Formats: C2SP signed-note, tlog-checkpoint and tlog-proof; hashing as in RFC 6962.
"""

import sys
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def decoded(text: str) -> bytes:
    """Decode base64, of which each byte string has one spelling only."""
    data = b64decode(text, validate=True)
    if b64encode(data).decode() != text:
        raise ValueError("not canonical base64")
    return data


def signed_text(note: str, key: str) -> str:
    """Return a note's text if the key signed it: `name+hash+base64(0x01 ‖ 32 bytes)`."""
    name, _hash, encoded = key.strip().split("+", 2)
    raw = decoded(encoded)
    key_id = sha256(name.encode() + b"\n" + raw).digest()[:4]
    text, signatures = note.split("\n\n", 1)
    for line in signatures.splitlines():
        dash, signer, signature = line.split(" ")
        blob = decoded(signature)
        if dash == "—" and signer == name and blob[:4] == key_id and raw[0] == 1:
            Ed25519PublicKey.from_public_bytes(raw[1:]).verify(blob[4:], f"{text}\n".encode())
            return text
    raise ValueError("not signed by this key")


def root_of(index: int, size: int, leaf: bytes, path: list[bytes]) -> bytes:
    """Climb from a leaf to the root (RFC 9162, 2.1.3.2)."""
    node, last = leaf, size - 1
    for sibling in path:
        if last == 0:
            raise ValueError("the path is too long")
        if index % 2 or index == last:
            node = sha256(b"\x01" + sibling + node).digest()
            while index % 2 == 0 and index:
                index, last = index >> 1, last >> 1
        else:
            node = sha256(b"\x01" + node + sibling).digest()
        index, last = index >> 1, last >> 1
    if last:
        raise ValueError("the path is too short")
    return node


def check(proof: str, key: str) -> tuple[str, int, str]:
    """Return where it stands and what is proven; raises where nothing is."""
    head, note = proof.split("\n\n", 1)
    magic, extra, place, *path = head.split("\n")
    if magic != "c2sp.org/tlog-proof@v1" or extra[:6] != "extra " or place[:6] != "index ":
        raise ValueError("not a tlog-proof")
    body, index = decoded(extra[6:]), int(place[6:])
    origin, size, root = signed_text(note, key).split("\n")[:3]
    name = key.partition("+")[0]
    if origin != name and not origin.startswith(f"{name}/"):
        raise ValueError("the checkpoint is another log's")
    if not 0 <= index < int(size):
        raise ValueError("no such place in the log")
    nodes = [decoded(line) for line in path]
    if root_of(index, int(size), sha256(b"\x00" + body).digest(), nodes) != decoded(root):
        raise ValueError("the path does not lead to the signed root")
    return origin, index, body.decode()


def main(proof_file: str, key_file: str) -> int:
    """Check one proof and say what it proves."""
    try:
        origin, index, body = check(Path(proof_file).read_text("utf-8"), Path(key_file).read_text("utf-8"))
    except (ValueError, InvalidSignature) as error:
        sys.stdout.write(f"does not hold: {str(error) or 'bad signature'}\n")
        return 1
    sys.stdout.write(f"holds: {origin}, index {index}\n{body}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
