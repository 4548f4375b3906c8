"""What the certificates do by themselves: follow the register, renew what ends, keep the authority's own parts."""

from safebelt.kernel.actors import MACHINE
from safebelt.kernel.rooms import Habit
from safebelt.rooms.certificates.service import Certificates

FOLLOW_SECONDS = 0.5
"""A system that leaves service has no certificate that counts within a second; a turn with nothing to do reads a row
for each system that has one."""
KEEP_SECONDS = 60.0
"""Weeks are left when something is due; a minute more does not matter."""


def habits(certificates: Certificates) -> tuple[Habit, ...]:
    """Return what the certificates do by themselves."""
    return (
        Habit(name="certificates.follow", every_seconds=FOLLOW_SECONDS, step=lambda: certificates.follow(by=MACHINE)),
        Habit(name="certificates.renew", every_seconds=KEEP_SECONDS, step=certificates.renew),
        Habit(name="certificates.keep", every_seconds=KEEP_SECONDS, step=certificates.keep_parts),
    )
