"""Words of a live service that proves who it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A service's answer to a challenge.

    Attributes:
        system_id: The system that answers.
        text: What was signed; holds what the asker chose, so that no older answer fits.
        signature: Base64 of the signature: ECDSA with SHA-256, DER.
        chain: Its certificate and those above it, PEM, without the root.
    """

    system_id: str
    text: str
    signature: str
    chain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A system whose key this house keeps, and whose certificate it renews.

    Attributes:
        serial: The certificate in use.
        names: Whom it names.
        since: Since when it is in use.
        not_after: When it ends.
    """

    system_id: str
    serial: str
    names: str
    since: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What a house says of itself.

    Attributes:
        log: Address of the static log (C2SP tlog-tiles).
        origin: The log's name in its checkpoints.
        keys: The keys that sign for it, oldest first.
        authority: Where the issuing authority's certificates, lists and answers are; empty where there is none.
        register: Address of the public register.
        identity: Where a service proves who it is.
    """

    log: str
    origin: str
    keys: tuple[str, ...]
    authority: Mapping[str, str]
    register: str
    identity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityKept(Event):
    """This house keeps a system's key, proves with it who the system is, and renews its certificate."""

    kind: ClassVar[str] = "certificates.identity_kept.v1"
    title: ClassVar[Text] = Text(zh="代管系统的身份密钥", en="Identity key of a system kept")
    serial: str
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityDropped(Event):
    """This house no longer proves who a system is."""

    kind: ClassVar[str] = "certificates.identity_dropped.v1"
    title: ClassVar[Text] = Text(zh="不再代管系统的身份密钥", en="Identity key of a system no longer kept")
    apart: ClassVar[frozenset[str]] = frozenset({"reason"})
    serial: str
    reason: str = ""
