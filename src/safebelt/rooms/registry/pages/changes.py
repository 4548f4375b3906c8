"""Pages about change control and responsibility."""

PAGES: tuple[type, ...] = ()
