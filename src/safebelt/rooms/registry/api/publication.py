"""JSON door to what the public sees."""

API: tuple[type, ...] = ()
