"""Pages about what the public sees."""

PAGES: tuple[type, ...] = ()
