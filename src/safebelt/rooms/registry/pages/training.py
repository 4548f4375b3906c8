"""Pages about jobs that train, tune, update or promote."""

PAGES: tuple[type, ...] = ()
