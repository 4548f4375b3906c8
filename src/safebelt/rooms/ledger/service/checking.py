"""What needs public keys and nothing else: no ledger, no database, no key file."""

from collections.abc import Iterable, Mapping
from typing import Any

from safebelt.engines.signing import VerifierKey, open_note, read_note, signers_named
from safebelt.kernel.reasons import Reason
from safebelt.rooms.ledger import decide
from safebelt.rooms.ledger.model import KeyParts, OpenNote, Trust, WitnessPolicy

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


def check(proof: str, keys: Iterable[VerifierKey], policy: WitnessPolicy | None = None) -> Judged:
    """Judge a proof with nothing but public keys: no ledger, no database.  See `decide.check`."""
    return decide.check(proof, opener(keys), None if policy is None else _trust(policy))


def check_evidence(evidence: str, keys: Iterable[VerifierKey]) -> Judged:
    """Judge evidence that a log contradicted itself, with nothing but its key.  See `decide.check_evidence`."""
    return decide.check_evidence(evidence, opener(keys))


def read_policy(data: bytes) -> WitnessPolicy:
    """Read a policy file (C2SP tlog-policy).  See `decide.parse_policy`."""
    return decide.parse_policy(data, _parts)


def _parts(text: str) -> KeyParts:
    key = VerifierKey.parse(text)
    if str(key) != text:
        raise VerifierKey.refusal()
    return KeyParts(public=key.public, is_cosigner=key.type.is_cosignature)


def _trust(policy: WitnessPolicy) -> Trust:
    witnesses = [VerifierKey.parse(each.key) for each in policy.witnesses]

    def cosigned(note: str) -> Mapping[str, int]:
        return {str(key): at for key, at in read_note(note, witnesses).at.items()}

    return Trust(
        policy=policy,
        open_log=opener(VerifierKey.parse(each.key) for each in policy.logs),
        cosigned=cosigned,
    )


def witnesses_of(proof: str, origin: str) -> tuple[str, ...]:
    """Return who is named beside the log in the signatures of a proof that this ledger made: its witnesses."""
    return tuple(name for name in signers_named(proof.partition("\n\n")[2]) if name != origin)


def check_consistency(proof: str, keys: Iterable[VerifierKey]) -> Judged:
    """Judge a proof of consistency with nothing but public keys.  See `decide.check_consistency`."""
    return decide.check_consistency(proof, opener(keys))
