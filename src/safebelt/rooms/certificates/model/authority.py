"""Words of the issuing authority: its parts, who stands behind it, and the events of its life."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.lifecycle import Issuer


class Role(StrEnum):
    """What a key of the authority is for.  No key has two uses."""

    ROOT = "root"
    ISSUING = "issuing"
    RESPONDER = "responder"
    STAMPING = "stamping"
    STAMPER = "stamper"


ISSUED_BY: Mapping[Issuer, Text] = {
    Issuer.SELF: Text(zh="自行签发（运营者自己的机构）", en="self-issued: the operator's own authority"),
    Issuer.ASSOCIATION: Text(zh="由行业组织签发", en="issued by an association"),
    Issuer.ASSESSOR: Text(zh="由评估机构签发", en="issued by an assessor"),
    Issuer.AUTHORITY: Text(zh="由主管部门签发", en="issued by an authority"),
}
"""Who stands behind an authority: the four are never mixed up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Found an authority.

    Attributes:
        organization: Who runs it, as its certificates name them.
        country: Two letters (ISO 3166-1).
        issuer: Who stands behind it: *self* for an operator who certifies their own systems.
    """

    organization: str
    country: str
    issuer: Issuer


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A certificate of the authority itself.

    Attributes:
        role: What its key is for.
        der: Its bytes (X.509, DER).
        since: Since when it is in use; the latest of a role is in force.
    """

    role: Role
    der: bytes
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """The authority of this house.

    Attributes:
        organization, country, issuer: As it was founded.
        parts: Its certificates in force, one of each role.
        former: Those that were in force before: what they signed may still be checked.
        has_root_key: Whether the root's private key lies on this machine; it should not.
    """

    organization: str
    country: str
    issuer: Issuer
    parts: dict[Role, Part]
    former: tuple[Part, ...]
    has_root_key: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityFounded(Event):
    """An issuing authority was founded; its subject is the fingerprint of its root."""

    kind: ClassVar[str] = "certificates.authority_founded.v1"
    title: ClassVar[Text] = Text(zh="设立了签发机构", en="Issuing authority founded")
    organization: str
    country: str
    issuer: Issuer
    fingerprints: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRenewed(Event):
    """A key of the authority was replaced in time; its subject is the new certificate's fingerprint."""

    kind: ClassVar[str] = "certificates.part_renewed.v1"
    title: ClassVar[Text] = Text(zh="更换了签发机构的密钥", en="Key of the issuing authority replaced")
    role: Role
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RootListSigned(Event):
    """The root's revocation list was signed anew; its subject is the list's fingerprint."""

    kind: ClassVar[str] = "certificates.root_list_signed.v1"
    title: ClassVar[Text] = Text(zh="签发了根的吊销列表", en="The root's revocation list signed")
    number: int
