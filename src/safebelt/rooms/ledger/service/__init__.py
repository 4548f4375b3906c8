"""Deeds of the ledger; and `check`, which needs no ledger at all."""

from safebelt.rooms.ledger.service.checking import Judged, check, check_consistency, opener, read_keys
from safebelt.rooms.ledger.service.ledger import MAX_PAGE, Ledger

__all__ = ["MAX_PAGE", "Judged", "Ledger", "check", "check_consistency", "opener", "read_keys"]
