"""Pages about gates, evidence, sign-offs."""

PAGES: tuple[type, ...] = ()
