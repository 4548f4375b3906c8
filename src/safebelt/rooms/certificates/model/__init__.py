"""Words of the certificates: an authority that issues, certificates and what became of them, requests, events."""

from safebelt.rooms.certificates.model.authority import (
    Authority,
    AuthorityFounded,
    Found,
    Part,
    PartRenewed,
    Role,
    RootListSigned,
)
from safebelt.rooms.certificates.model.certificates import (
    STANDINGS,
    WHYS,
    Certificate,
    CertificateIssued,
    CertificateResumed,
    CertificateRevoked,
    CertificateSuspended,
    Filter,
    Issue,
    Page,
    Standing,
    Why,
)
from safebelt.rooms.certificates.model.checking import AXES, STATES, Axis, Checked, Verdict, verdict
from safebelt.rooms.certificates.model.identity import House, Identity, IdentityDropped, IdentityKept, Kept

EVENTS = (
    AuthorityFounded,
    PartRenewed,
    RootListSigned,
    CertificateIssued,
    CertificateSuspended,
    CertificateResumed,
    CertificateRevoked,
    IdentityKept,
    IdentityDropped,
)

__all__ = [
    "AXES",
    "EVENTS",
    "STANDINGS",
    "STATES",
    "WHYS",
    "Authority",
    "AuthorityFounded",
    "Axis",
    "Certificate",
    "CertificateIssued",
    "CertificateResumed",
    "CertificateRevoked",
    "CertificateSuspended",
    "Checked",
    "Filter",
    "Found",
    "House",
    "Identity",
    "IdentityDropped",
    "IdentityKept",
    "Issue",
    "Kept",
    "Page",
    "Part",
    "PartRenewed",
    "Role",
    "RootListSigned",
    "Standing",
    "Verdict",
    "Why",
    "verdict",
]
