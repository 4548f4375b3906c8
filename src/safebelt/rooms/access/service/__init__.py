"""Deeds of access: let people in, give roles, issue tokens, hold acts for a second person, say who may do what."""

from safebelt.rooms.access.service.people import People
from safebelt.rooms.access.service.proposals import Proposals
from safebelt.rooms.access.service.sessions import Sessions
from safebelt.rooms.access.service.tokens import Tokens


class Access(Sessions, People, Tokens, Proposals):
    """Who may do what.

    Args:
        sql: Where users, sessions and tokens are kept.
        ledger: Remembers every change.
        permissions: The policies.
        clock, new_id, chance: Time, ids and randomness.
        admin_password: Presets the first administrator's password.
        passwords: How passwords are hashed; default Argon2id with RFC 9106's parameters.
    """
