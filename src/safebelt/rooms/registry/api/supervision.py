"""JSON door to an authority's cases."""

API: tuple[type, ...] = ()
