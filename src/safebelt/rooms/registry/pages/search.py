"""Pages about search, saved views, bulk acts."""

PAGES: tuple[type, ...] = ()
