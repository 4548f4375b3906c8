"""Judgments of the certificates: who may have one, what may become of one, and what a check comes to."""

from safebelt.rooms.certificates.decide.checking import logged, registration, telling
from safebelt.rooms.certificates.decide.standing import (
    hold_days,
    hold_issuable,
    hold_key_is_new,
    lapsed,
    resume,
    revoke,
    suspend,
)

__all__ = [
    "hold_days",
    "hold_issuable",
    "hold_key_is_new",
    "lapsed",
    "logged",
    "registration",
    "resume",
    "revoke",
    "suspend",
    "telling",
]
