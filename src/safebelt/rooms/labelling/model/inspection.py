"""What was read in a file, before anybody judges it."""

from dataclasses import dataclass
from datetime import datetime

from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.model import Checked as CertificateChecked
from safebelt.rooms.labelling.model.checks import FoundLabel
from safebelt.rooms.labelling.model.events import Remembered
from safebelt.rooms.labelling.model.likeness import Alike, Fingerprint
from safebelt.rooms.labelling.model.provenance import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What one look into a file found.

    Attributes:
        kind: Its format; empty where it is none of ours.
        size: Its length in bytes.
        sha256: Its digest, hexadecimal; whoever asks for the look works it out, not whoever looks.
        identity: What another file, or the same one written to, does not have in common with this one, as `identity_of`
            gives it; empty where the file did not stay what it was.
        broken: What is wrong with the file as one of its format; empty where nothing is.
        labels: The implicit labels.
        manifest: The C2PA manifest in force; None where there is none.
        manifest_broken: Why a manifest that is there cannot be read; empty where it can.
        has_provenance: Whether this look knows how to read C2PA manifests of this format.
        ident: What the watermark of this house's key carries; None where none was found.
        has_scan: Whether a watermark was looked for.
        why_no_scan: Why not, where that is known.
        fingerprint: What the content looks like; None where it has no fingerprint here.
        notice: Whether the notice was seen or heard; None where it was not looked for, or only people can tell.
        is_scanned: Whether the content itself was looked at, for watermark and fingerprint.
        stopped: Why the look came to no end (`time`, `memory`, `crash`, `changed`); empty where it did.
    """

    kind: str = ""
    size: int = 0
    sha256: str = ""
    identity: tuple[int, ...] = ()
    broken: str = ""
    labels: tuple[FoundLabel, ...] = ()
    manifest: Manifest | None = None
    manifest_broken: str = ""
    has_provenance: bool = False
    ident: int | None = None
    has_scan: bool = False
    why_no_scan: Text | None = None
    fingerprint: Fingerprint | None = None
    notice: bool | None = None
    is_scanned: bool = True
    stopped: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """What a look into a file has found before it is over: whoever waits can begin with it.

    Attributes:
        sha256: The file's digest, hexadecimal; None where nothing is said of it.
        labels: The implicit labels; None where nothing is said of them.
    """

    sha256: str | None = None
    labels: tuple[FoundLabel, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What this house knows of what a file names.

    Attributes:
        checked: What the check of the signing certificate came to; None where it is not one of this house.
        lasts: From when and until when that certificate counts; None where it is not one of this house.
        stamper: Whether who made the time-stamp may be believed, by this house's own records: chain, then revocation;
            empty where they were not asked, or did not answer.
        system_name: What the system it names is called; None where that is not public.
        party: Who answers for that system; empty where that is not public.
        register_url: Its page in the public register; empty where it is not public.
        watermarked: The mark that the watermark's id names; None where none does.
        alike: The remembered mark whose content looks most like it; None where none does.
        is_crowded: Whether more contents look like it than were compared.
        marked_at: When this house marked a file with this very digest; empty where it did not.
        entry: The ledger's entry about that.
        is_silent: Whether this house's own records could not be asked: then what they would say is not known.
    """

    checked: CertificateChecked | None = None
    lasts: tuple[datetime, datetime] | None = None
    stamper: tuple[Reason, ...] = ()
    system_name: Text | None = None
    party: str = ""
    register_url: str = ""
    watermarked: Remembered | None = None
    alike: Alike | None = None
    is_crowded: bool = False
    marked_at: str = ""
    entry: str = ""
    is_silent: bool = False
