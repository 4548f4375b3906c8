"""Pages about filings and forms."""

PAGES: tuple[type, ...] = ()
