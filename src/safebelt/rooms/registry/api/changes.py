"""JSON door to change control and responsibility."""

API: tuple[type, ...] = ()
