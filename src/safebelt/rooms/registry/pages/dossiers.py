"""Pages about the dossier as a signed package."""

PAGES: tuple[type, ...] = ()
