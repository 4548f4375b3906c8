"""The ledger's plate."""

from typing import TYPE_CHECKING, Any

from safebelt.kernel.rooms import Furniture, Habit, Room
from safebelt.kernel.text import Text

if TYPE_CHECKING:
    from safebelt.rooms.ledger.service import Ledger


def _furniture() -> Furniture:
    from safebelt.rooms.ledger import store
    from safebelt.rooms.ledger.api import LedgerApi, StaticLog, WitnessDoors
    from safebelt.rooms.ledger.model import (
        KeyRotated,
        LogMisbehaved,
        LogUnwatched,
        LogWatched,
        PersonalErased,
        WitnessAsked,
        WitnessDropped,
    )
    from safebelt.rooms.ledger.pages import LedgerPages
    from safebelt.rooms.ledger.store import peers
    from safebelt.rooms.ledger.verifier.doors import VerifierFiles

    return Furniture(
        events=(PersonalErased, KeyRotated, LogWatched, LogUnwatched, WitnessAsked, WitnessDropped, LogMisbehaved),
        api=(LedgerApi, StaticLog, WitnessDoors),
        pages=(LedgerPages, VerifierFiles),
        tables=(store.entry, store.personal, store.checkpoint, peers.watched, peers.witness, peers.cosignature),
    )


def _cli(ledger: "Ledger") -> Any:
    from safebelt.rooms.ledger.cli import commands

    return commands(ledger)


def _habits(ledger: "Ledger") -> tuple[Habit, ...]:
    from safebelt.rooms.ledger.jobs import habits

    return habits(ledger)


ROOM = Room(
    name="ledger",
    title=Text(zh="存证账本", en="Ledger"),
    purpose=Text(
        zh="记住每一项治理行为，并能向任何人证明它未被改动。",
        en="Remember every act of governance, and prove to anybody that it was not changed since.",
    ),
    serves=("R10",),
    furniture=_furniture,
    cli=_cli,
    habits=_habits,
)
