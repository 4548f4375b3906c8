"""Pages about imports and their undoing."""

PAGES: tuple[type, ...] = ()
