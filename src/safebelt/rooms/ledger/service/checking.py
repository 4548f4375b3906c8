"""What needs public keys and nothing else: no ledger, no database, no key file."""

from collections.abc import Iterable, Mapping
from typing import Any

from safebelt.engines.signing import VerifierKey, open_note
from safebelt.kernel.reasons import Reason
from safebelt.rooms.ledger import decide
from safebelt.rooms.ledger.model import OpenNote

Judged = tuple[Reason, Mapping[str, Any] | None]
"""Why it holds or not, and what is proven where it holds."""


def opener(keys: Iterable[VerifierKey]) -> OpenNote:
    """Return what opens notes with these keys, in the words the judgments use."""
    trusted = tuple(keys)

    def opened(note: str) -> tuple[str, frozenset[str]]:
        found = open_note(note, trusted)
        return found.text, frozenset(map(str, found.signed_by))

    return opened


def read_keys(text: str) -> tuple[VerifierKey, ...]:
    """Read verifier keys, one a line; raises `Invalid` where a line is no key, or there is none."""
    return tuple(VerifierKey.parse(line) for line in text.splitlines() if line.strip()) or (VerifierKey.parse(""),)


def check(proof: str, keys: Iterable[VerifierKey]) -> Judged:
    """Judge a proof with nothing but public keys: no ledger, no database.  See `decide.check`."""
    return decide.check(proof, opener(keys))


def check_consistency(proof: str, keys: Iterable[VerifierKey]) -> Judged:
    """Judge a proof of consistency with nothing but public keys.  See `decide.check_consistency`."""
    return decide.check_consistency(proof, opener(keys))
