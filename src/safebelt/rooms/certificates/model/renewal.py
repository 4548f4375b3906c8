"""Words of renewal: what a live service asks for with the key it has, and how it stands with its own identity."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from safebelt.kernel.text import Text
from safebelt.rooms.certificates.model.certificates import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """Renew a certificate, by the key that it names.

    Attributes:
        serial: The certificate in use.
        request: A PKCS#10 request (PEM) on another key: proof that whoever asks holds the new one.
        at: When it is asked for, by the asker's clock.
        days: How long the next one is to count.
        signature: Over `decide.renewal.renewal_text`, by the key of the certificate in use: ECDSA with the hash that
            fits the curve (DER), or Ed25519.  Proof that whoever asks holds the present one.
    """

    serial: str
    request: bytes
    at: datetime
    days: int
    signature: bytes


class Bearing(StrEnum):
    """How a service stands with its own identity."""

    NONE = "none"
    GOOD = "good"
    DUE = "due"
    TAKEN_BACK = "taken-back"
    OVER = "over"


BEARINGS: Mapping[Bearing, Text] = {
    Bearing.NONE: Text(zh="尚无证书", en="no certificate yet"),
    Bearing.GOOD: Text(zh="有效", en="in its time"),
    Bearing.DUE: Text(zh="应换发而未成", en="due, and not renewed yet"),
    Bearing.TAKEN_BACK: Text(zh="已暂停或吊销", en="suspended or revoked"),
    Bearing.OVER: Text(zh="已过期", en="over"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A system's identity as the service that carries it knows it.

    Attributes:
        system_id: Whose it is.
        place: Where the service is reached; stands in what it signs.
        authority: Who renews it: an address; empty for the house it runs in.
        days: How long a certificate is asked for.
        serial: The certificate in use; empty where there is none.
        chain: It and those above it, PEM, without the root.
        key: Name of the key's file.
        not_before, not_after: When the certificate counts; None where there is none.
        standing: What the authority said of it last.
        asked_at: When it was asked.
        next_key: Name of the file of a key that is being certified; kept until an answer comes, so that an answer
            that got lost is given again and leaves no second certificate.
        failures: How often renewal failed since the last success.
        tried_at: When it was tried last.
        next_try_at: Before then it is not tried again.
        problem: Why it failed last; None where it did not.
    """

    system_id: str
    place: str
    authority: str
    days: int
    serial: str = ""
    chain: str = ""
    key: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None
    standing: Standing = Standing.GOOD
    asked_at: datetime | None = None
    next_key: str = ""
    failures: int = 0
    tried_at: datetime | None = None
    next_try_at: datetime | None = None
    problem: Text | None = None
