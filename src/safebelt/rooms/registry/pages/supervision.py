"""Pages about an authority's cases."""

PAGES: tuple[type, ...] = ()
