"""JSON door to jobs that train, tune, update or promote."""

API: tuple[type, ...] = ()
