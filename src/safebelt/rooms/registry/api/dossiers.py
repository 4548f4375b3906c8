"""JSON door to the dossier as a signed package."""

API: tuple[type, ...] = ()
