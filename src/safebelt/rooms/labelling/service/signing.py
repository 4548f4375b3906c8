"""The one place where a content gets its manifest: what it says, and who signs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from safebelt.rooms.labelling.formats.carrier import Edit
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.model import AigcLabel
from safebelt.rooms.labelling.model.provenance import Claim
from safebelt.rooms.labelling.provenance.loopback import Stamp
from safebelt.rooms.labelling.provenance.manifests import Manifests, Signer

if TYPE_CHECKING:
    from safebelt.rooms.certificates.service import Hand


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """What a manifest says, and who signs it.

    Attributes:
        label: The label that is in the content, which the manifest repeats.
        hand: What signs.
        title: What the manifest calls the system.
        software: Name and version of what writes it.
        bindings: Soft bindings: algorithm to value.
        stamp: Answers the query for a time-stamp; None for none.
    """

    label: AigcLabel
    hand: "Hand"
    title: str
    software: tuple[str, str]
    bindings: Mapping[str, str] = field(default_factory=dict)
    stamp: Stamp | None = None

    @property
    def claim(self) -> Claim:
        """What it says."""
        aigc = self.label.as_object()
        return Claim(system=(self.title, ""), software=self.software, aigc=aigc, bindings=self.bindings)

    @property
    def signer(self) -> Signer:
        """Who signs."""
        return Signer(algorithm=self.hand.algorithm, chain=self.hand.chain, sign=self.hand.raw, stamp=self.stamp)


def sign(data: bytes, out: IO[bytes], kind: Kind, what: Signing) -> None:
    """Write a content with a manifest to a file, which is empty and readable too.

    Raises:
        Unwritable, Broken: As `Manifests.sign`.
    """
    Manifests("").sign(data, out, kind, what.claim, what.signer)


def signed(data: bytes, kind: Kind, what: Signing, edit: Edit = ()) -> bytes:
    """Return a content with a manifest.

    Args:
        data: The content.
        kind: Its format.
        what: What the manifest says, and who signs.
        edit: What is changed in the content before; empty for nothing.

    Raises:
        Unwritable, Broken: As `Manifests.sign`.
    """
    return Manifests("").signed(data, kind, what.claim, what.signer, edit)
