"""Minors' mode: the policy of a system with stricter rules laid over it.  Pure."""

from dataclasses import replace
from hashlib import sha256

from safebelt.rooms.belt.model import Policy

MINORS = "minors"
"""Name of the mode, as header and record say it."""


def laid_over(base: Policy, stricter: Policy) -> Policy:
    """Return a policy with the rules of both, and the notice of the stricter one.

    INVARIANT: every rule of `base` stays as it is, so that what comes out is never milder.
    """
    taken = {rule.id for rule in base.rules}
    more = tuple(replace(rule, id=f"{rule.id}.{MINORS}") if rule.id in taken else rule for rule in stricter.rules)
    return replace(
        base,
        id=f"{base.id}+{stricter.id}",
        rules=(*base.rules, *more),
        digest=sha256(f"{base.digest}\n{stricter.digest}".encode()).hexdigest(),
        notice=stricter.notice,
    )
