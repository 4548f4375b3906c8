"""Signing keys and C2SP signed notes (c2sp.org/signed-note): Ed25519, files of mode 0600, rotation."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """A public key as C2SP writes it: `<name>+<hex key id>+<base64 of type and key>`."""

    name: str
    key_id: bytes
    public: bytes
