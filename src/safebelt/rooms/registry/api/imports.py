"""JSON door to imports and their undoing."""

API: tuple[type, ...] = ()
