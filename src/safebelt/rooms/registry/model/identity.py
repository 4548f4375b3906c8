"""Words of identity: the numbers by which the world knows a party, and how far each was verified."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.register import Party, PartyKind, PartyRole


class Scheme(StrEnum):
    """Systems of identifiers."""

    USCC = "uscc"
    LEI = "lei"
    VAT = "vat"
    EORI = "eori"
    GB_COMPANY = "gb_company"
    DUNS = "duns"
    OTHER = "other"


SCHEMES: Mapping[Scheme, Text] = {
    Scheme.USCC: Text(zh="统一社会信用代码（GB 32100）", en="Chinese unified social credit code (GB 32100)"),
    Scheme.LEI: Text(zh="法人机构识别编码 LEI（ISO 17442）", en="Legal entity identifier, LEI (ISO 17442)"),
    Scheme.VAT: Text(zh="欧盟增值税号", en="EU VAT number"),
    Scheme.EORI: Text(zh="欧盟经济运营者编号 EORI", en="EORI number"),
    Scheme.GB_COMPANY: Text(zh="英国公司注册号", en="UK company number"),
    Scheme.DUNS: Text(zh="邓白氏编码 D-U-N-S", en="D-U-N-S number"),
    Scheme.OTHER: Text(zh="其他（请写明名称）", en="another (say which)"),
}


class Verified(StrEnum):
    """How far an identifier was verified.  A right check digit says *well-formed*, never *looked up*."""

    STATED = "stated"
    WELL_FORMED = "well_formed"
    LOOKED_UP = "looked_up"


VERIFIED: Mapping[Verified, Text] = {
    Verified.STATED: Text(zh="仅为填报，形式无从核对", en="as stated; its form cannot be checked"),
    Verified.WELL_FORMED: Text(zh="格式正确，未经核实", en="well-formed, not verified"),
    Verified.LOOKED_UP: Text(zh="有人在官方登记中查到", en="somebody looked it up in the official register"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """One number by which the world knows a party.

    Attributes:
        id: `idf_…`.
        scheme: In which system.
        named: The system's name where the scheme is *other*; otherwise empty.
        value: The identifier in its plain form: capitals, no spaces.
        verified: How far it was verified.
        source: Where it was looked up; empty where nobody did.
        at, by: When it was entered or last looked up, and by whom (pseudonymous).
    """

    id: str
    party_id: str
    scheme: Scheme
    named: str
    value: str
    verified: Verified
    source: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Identify:
    """Enter an identifier of a party.

    Attributes:
        scheme: uscc, lei, vat, eori, gb_company, duns or other.
        value: The identifier; spaces, dots and hyphens are left out.
        named: Name of the system, where the scheme is *other*.
        source: Address of the official register's page where somebody looked it up; then it counts as looked up.
    """

    scheme: Scheme
    value: str
    named: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeParty:
    """Change what the register says of a party; what is left out stays.

    Attributes:
        seal: The seal of the party as it was read, so that nobody's change is lost.
        reason: Why; everyone who may read the register reads it.
    """

    seal: str
    reason: str
    name: str | None = None
    kind: PartyKind | None = None
    roles: tuple[PartyRole, ...] | None = None
    contact: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyView:
    """A party with its identifiers.

    Attributes:
        seal: Changes whenever the party does; a change of the party quotes it.
    """

    party: Party
    identifiers: tuple[Identifier, ...]
    seal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyIdentified(Event):
    """An identifier of a party was entered; of a person, its value is personal and `value` is empty."""

    kind: ClassVar[str] = "registry.party_identified.v1"
    title: ClassVar[Text] = Text(zh="登记了主体编号", en="Identifier of a party entered")
    identifier_id: str
    scheme: str
    named: str
    value: str
    verified: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentifierRemoved(Event):
    """An identifier of a party was removed."""

    kind: ClassVar[str] = "registry.identifier_removed.v1"
    title: ClassVar[Text] = Text(zh="移除了主体编号", en="Identifier of a party removed")
    apart: ClassVar[frozenset[str]] = frozenset({"reason"})
    identifier_id: str
    scheme: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyChanged(Event):
    """What the register says of a party changed: field, before, after; a person's name and contacts are personal."""

    kind: ClassVar[str] = "registry.party_changed.v1"
    title: ClassVar[Text] = Text(zh="更改了主体", en="Party changed")
    apart: ClassVar[frozenset[str]] = frozenset({"reason"})
    changes: Mapping[str, tuple[str, str]]
    reason: str


EVENTS: tuple[type[Event], ...] = (PartyIdentified, IdentifierRemoved, PartyChanged)
