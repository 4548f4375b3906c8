"""Words of provenance: what a signed manifest says, and what an engine found about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

AI_SOURCES = frozenset(
    f"http://cv.iptc.org/newscodes/digitalsourcetype/{term}"
    for term in ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "compositeSynthetic")
)
"""Terms that say a trained model made the content or a part of it."""
Sign = Callable[[bytes], bytes]
"""Signs bytes; ECDSA signatures as `r` and `s` one after the other (RFC 9053, 2.1)."""
_BINDING = ("assertion.dataHash", "assertion.bmffHash", "assertion.boxesHash", "assertion.collectionHash")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a manifest is to say.

    Attributes:
        system: What made the content, by name and version.
        software: What wrote the manifest, with its version.
        aigc: The implicit label, by the standard's keys; empty for none.
        bindings: Soft bindings: algorithm to value, for watermarks and fingerprints in the content.
    """

    system: tuple[str, str]
    software: tuple[str, str]
    aigc: Mapping[str, str] = field(default_factory=dict)
    bindings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What the manifest in force says, and what the engine found.

    Attributes:
        success, failure: Status codes (C2PA 2.x, *Validation*) of the manifest in force and its ingredients.
        serial: Serial number of the signing certificate, hexadecimal as `certificates` writes it.
        subject, issuer: Whom it names, and who issued it.
        fingerprint: SHA-256 of that certificate, hexadecimal; empty where the engine looked, which does not tell.
        trusted_by: `home` where its chain leads to a root of this house, `list` where to one of the C2PA
            trust list, else empty.
        source_types: The digital source types of its actions.
        aigc: The implicit label it repeats.
        bindings: Soft bindings it names: algorithm to value.
        signed_at: When it was signed, by a time-stamp; empty where none says.
        stamper: Serial number of the certificate of who made the time-stamp, hexadecimal; empty where there is none.
        stamper_name: Whom that certificate names.
        generator: What wrote it.
    """

    success: frozenset[str]
    failure: frozenset[str]
    serial: str
    subject: str
    issuer: str
    trusted_by: str
    fingerprint: str = ""
    source_types: tuple[str, ...] = ()
    aigc: Mapping[str, str] = field(default_factory=dict)
    bindings: Mapping[str, str] = field(default_factory=dict)
    signed_at: str = ""
    stamper: str = ""
    stamper_name: str = ""
    generator: str = ""

    @property
    def is_bound(self) -> bool:
        """Whether the content is what was signed: a hash over it matches, and nothing about assertions fails."""
        matches = any(f"{one}.match" in self.success for one in _BINDING)
        return matches and not any(_is_of_content(one) for one in self.failure)

    @property
    def is_stamped(self) -> bool:
        """Whether a time-stamp on the signature holds, whoever made it."""
        has_failed = any(one.startswith("timeStamp.") for one in self.failure)
        return bool(self.signed_at) and "timeStamp.validated" in self.success and not has_failed

    @property
    def is_signed(self) -> bool:
        """Whether the claim's signature is that of the certificate it came with."""
        has_failed = any(one.startswith("claimSignature.") and not _is_of_time(one) for one in self.failure)
        return "claimSignature.validated" in self.success and not has_failed


def _is_of_time(code: str) -> bool:
    return code in ("claimSignature.outsideValidity", "claimSignature.insideValidity") or code.startswith("timeStamp.")


def _is_of_content(code: str) -> bool:
    return not code.removeprefix("ingredient.").startswith(
        ("signingCredential.", "claimSignature.", "timeStamp.", "cawg.")
    )
