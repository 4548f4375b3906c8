"""The only place where everything is put together."""

from safebelt.rooms.ledger import store as _store  # noqa: F401
