"""Deeds of the rulebook: judge by law held as data, and keep what people decide about it."""

from safebelt.rooms.rulebook.service.crowds import Crowds
from safebelt.rooms.rulebook.service.deciding import Deciding
from safebelt.rooms.rulebook.service.interviewing import Interviewing
from safebelt.rooms.rulebook.service.reading import Reading
from safebelt.rooms.rulebook.service.turning import Turning


class Rules(Deciding, Crowds, Turning, Reading, Interviewing):
    """What the law demands of whom, why, since when, and what a draft would change.

    Args:
        sql: Where descriptions, decisions and interviews are kept.
        ledger: Remembers every act.
        access: Holds acts that need two people.
        folder: The law as data: `law/`.
        clock, new_id: Time and ids.
        about, systems_of: How the register above is asked for a system's name, party and named persons, and for a
            party's systems.
    """
