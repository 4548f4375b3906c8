"""JSON door to gates, evidence, sign-offs."""

API: tuple[type, ...] = ()
