r"""Signing keys, C2SP signed notes (c2sp.org/signed-note) and cosignatures (c2sp.org/tlog-cosignature).

    >>> signer = Signer.of("example.com/log", bytes(32))
    >>> note = sign_note("hello\n", signer)
    >>> open_note(note, [signer.verifier]).text
    'hello\n'

A log signs notes with a `Signer` (Ed25519); who watches a log cosigns its checkpoints with a `Cosigner`, with the
time, by Ed25519 or by ML-DSA-44, which a quantum computer does not break.  A key file holds one line for each key,
`PRIVATE+KEY+<name>+<key id>+<key>`, as Go's `sumdb/note` writes it; it has mode 0600.
"""

from safebelt.engines.signing.cosigners import Cosigner, CosignerStore
from safebelt.engines.signing.keys import SignatureType, Signer, VerifierKey
from safebelt.engines.signing.notes import (
    Note,
    open_note,
    read_note,
    sign_note,
    signature_lines,
    signers_named,
)
from safebelt.engines.signing.stores import KeyStore

__all__ = [
    "Cosigner",
    "CosignerStore",
    "KeyStore",
    "Note",
    "SignatureType",
    "Signer",
    "VerifierKey",
    "open_note",
    "read_note",
    "sign_note",
    "signature_lines",
    "signers_named",
]
