"""The ledger's plate."""

from safebelt.kernel.rooms import Room
from safebelt.kernel.text import Text
from safebelt.rooms.ledger import store
from safebelt.rooms.ledger.api import LedgerApi, StaticLog
from safebelt.rooms.ledger.cli import commands
from safebelt.rooms.ledger.jobs import habits
from safebelt.rooms.ledger.model import KeyRotated, PersonalErased
from safebelt.rooms.ledger.pages import LedgerPages

ROOM = Room(
    name="ledger",
    title=Text(zh="存证账本", en="Ledger"),
    purpose=Text(
        zh="记住每一项治理行为，并能向任何人证明它未被改动。",
        en="Remember every act of governance, and prove to anybody that it was not changed since.",
    ),
    serves=("R10",),
    events=(PersonalErased, KeyRotated),
    api=(LedgerApi, StaticLog),
    pages=(LedgerPages,),
    cli=commands,
    habits=habits,
    tables=(store.entry, store.personal, store.checkpoint),
)
