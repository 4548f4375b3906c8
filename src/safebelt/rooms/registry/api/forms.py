"""JSON door to filings and forms."""

API: tuple[type, ...] = ()
