"""Words of the registry: parties, systems, named people, and the dossier that ties them together."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache

from safebelt.kernel.text import Text


def folded(text: str) -> str:
    """Return text as search compares it: compatibility forms and case made equal (Unicode NFKC, case folding)."""
    if text.isascii():
        return text.casefold()
    return "\n".join(map(_folded_line, text.split("\n")))  # nothing composes across the end of a line


@lru_cache(maxsize=4096)
def _folded_line(line: str) -> str:
    """Fold one line; those of a system are folded for the search of the house, of the public, and of what is alike."""
    return line.casefold() if line.isascii() else unicodedata.normalize("NFKC", line).casefold()


class PartyKind(StrEnum):
    """What a party is."""

    ORGANISATION = "organisation"
    PERSON = "person"
    AUTHORITY = "authority"
    ASSOCIATION = "association"
    ASSESSOR = "assessor"


class PartyRole(StrEnum):
    """What a party does in the life of AI systems."""

    PROVIDER = "provider"
    DEPLOYER = "deployer"
    IMPORTER = "importer"
    DISTRIBUTOR = "distributor"
    REPRESENTATIVE = "representative"
    TECHNICAL_SUPPORT = "technical_support"
    ASSESSOR = "assessor"
    AUTHORITY = "authority"
    SUPERVISOR = "supervisor"


class Status(StrEnum):
    """The stage of a system's life; `registry/lifecycle.yaml` says which may follow which, and what each gate asks."""

    IDEA = "idea"
    DESIGN = "design"
    DEVELOPMENT = "development"
    TESTING = "testing"
    FILED = "filed"
    UNDER_REVIEW = "under_review"
    REGISTERED = "registered"
    IN_SERVICE = "in_service"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"
    RETIRED = "retired"


class PersonRole(StrEnum):
    """For what a named person stands."""

    ACCOUNTABLE = "accountable"
    OPERATOR = "operator"
    OVERSEER = "overseer"


PARTY_KINDS: Mapping[PartyKind, Text] = {
    PartyKind.ORGANISATION: Text(zh="机构", en="organisation"),
    PartyKind.PERSON: Text(zh="个人", en="person"),
    PartyKind.AUTHORITY: Text(zh="主管部门", en="authority"),
    PartyKind.ASSOCIATION: Text(zh="行业组织", en="association"),
    PartyKind.ASSESSOR: Text(zh="评估机构", en="assessment body"),
}

PARTY_ROLES: Mapping[PartyRole, Text] = {
    PartyRole.PROVIDER: Text(zh="提供者", en="provider"),
    PartyRole.DEPLOYER: Text(zh="部署者", en="deployer"),
    PartyRole.IMPORTER: Text(zh="进口者", en="importer"),
    PartyRole.DISTRIBUTOR: Text(zh="分销者", en="distributor"),
    PartyRole.REPRESENTATIVE: Text(zh="授权代表", en="authorised representative"),
    PartyRole.TECHNICAL_SUPPORT: Text(zh="技术支持者", en="technical supporter"),
    PartyRole.ASSESSOR: Text(zh="评估者", en="assessor"),
    PartyRole.AUTHORITY: Text(zh="主管机关", en="competent authority"),
    PartyRole.SUPERVISOR: Text(zh="监管者", en="supervisor"),
}

STATUSES: Mapping[Status, Text] = {
    Status.IDEA: Text(zh="构想", en="idea"),
    Status.DESIGN: Text(zh="设计", en="design"),
    Status.DEVELOPMENT: Text(zh="研发", en="development"),
    Status.TESTING: Text(zh="测试", en="testing"),
    Status.FILED: Text(zh="已提交", en="filed"),
    Status.UNDER_REVIEW: Text(zh="审查中", en="under review"),
    Status.REGISTERED: Text(zh="已登记备案", en="registered"),
    Status.IN_SERVICE: Text(zh="在用", en="in service"),
    Status.SUSPENDED: Text(zh="中止", en="suspended"),
    Status.WITHDRAWN: Text(zh="已撤出", en="withdrawn"),
    Status.RETIRED: Text(zh="退役", en="retired"),
}

PERSON_ROLES: Mapping[PersonRole, Text] = {
    PersonRole.ACCOUNTABLE: Text(zh="负责人", en="accountable person"),
    PersonRole.OPERATOR: Text(zh="运行人员", en="operator"),
    PersonRole.OVERSEER: Text(zh="监督人员", en="overseer"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Someone who provides, deploys or supervises AI systems.

    Attributes:
        id: `pty_…`.
        name: Its name; personal data where it is a person.
        kind: What it is.
        roles: What it does, in the order of `PartyRole`.
        contact: How to reach it; personal data.
        registered_at: Since when it is known.
    """

    id: str
    name: str
    kind: PartyKind
    roles: tuple[PartyRole, ...]
    contact: str
    registered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPerson:
    """A person who stands for something about a system.

    Attributes:
        id: `per_…`.
        role: For what.
        name: Personal data.
        contact: Personal data.
        since: First day of the term.
        until: Day another person took over; None while the term runs.
    """

    id: str
    role: PersonRole
    name: str
    contact: str
    since: date
    until: date | None = None


def ordered(people: tuple[NamedPerson, ...]) -> tuple[NamedPerson, ...]:
    """Return people as they are shown: running terms first, then by role and by when they began."""
    roles = list(PersonRole)
    return tuple(sorted(people, key=lambda p: (p.until is not None, roles.index(p.role), p.since, p.id)))


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """An AI system as the register knows it.

    Attributes:
        id: `sys_…`.
        name, purpose: What it is called, and what it is for.
        provider_id: The party that provides it.
        deployer_id: The party that uses it under its own authority; empty where none is known.
        status: The stage of its life.
        people: Everyone ever named for it, current terms first.
        registered_at: When it entered the register.
        version: Counts its changes; a change names the version it was made on.
        provisional: In service on evidence that is only claimed by those who run it.
    """

    id: str
    name: Text
    purpose: Text
    provider_id: str
    deployer_id: str
    status: Status
    people: tuple[NamedPerson, ...]
    registered_at: datetime
    version: int = 1
    provisional: bool = False

    def current(self, role: PersonRole) -> tuple[NamedPerson, ...]:
        """Return who stands for `role` now."""
        return tuple(person for person in self.people if person.role is role and person.until is None)

    @property
    def stage(self) -> Text:
        """The stage of its life in words; service on claims alone is called provisional."""
        title = STATUSES[self.status]
        return Text(zh=f"{title.zh}（暂行）", en=f"{title.en}, provisional") if self.provisional else title


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterParty:
    """Enter a party into the register.

    Attributes:
        name: Its name, as it is officially written.
        kind: organisation, person, authority, association or assessor.
        roles: What it does.
        contact: How to reach it; kept apart and erasable.
    """

    name: str
    kind: PartyKind = PartyKind.ORGANISATION
    roles: tuple[PartyRole, ...] = ()
    contact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterSystem:
    """Enter an AI system into the register.  It enters as an idea; gates lead on from there.

    Attributes:
        provider_id: The party that provides it.
        name_zh, name_en: What it is called; one may be left out, then the other stands for both.
        purpose_zh, purpose_en: What it is for; likewise.
        deployer_id: The party that uses it under its own authority.
    """

    provider_id: str
    name_zh: str = ""
    name_en: str = ""
    purpose_zh: str = ""
    purpose_en: str = ""
    deployer_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamePerson:
    """Name a person who stands for something about a system.

    Attributes:
        role: accountable, operator or overseer.
        name: Who; kept apart and erasable.
        contact: How to reach them; likewise.
        since: First day of the term; today where left out.
        replaces: Id of the person whose term ends; whoever was accountable is replaced in any case.
    """

    role: PersonRole
    name: str
    contact: str = ""
    since: date | None = None
    replaces: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSystem:
    """Change what the register says of a system; what is left out stays.  Its stage changes by gates alone.

    Attributes:
        version: The version the change was made on.
        reason: Why; everyone who may read the dossier reads it.
    """

    version: int
    reason: str
    name_zh: str | None = None
    name_en: str | None = None
    purpose_zh: str | None = None
    purpose_en: str | None = None
    provider_id: str | None = None
    deployer_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyPage:
    """A page of parties, newest first."""

    items: tuple[Party, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemPage:
    """A page of systems, newest first."""

    items: tuple[System, ...]
    total: int
    page: int
    pages: int
