"""JSON door to search, saved views, bulk acts."""

API: tuple[type, ...] = ()
