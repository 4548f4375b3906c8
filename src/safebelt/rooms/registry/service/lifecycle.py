"""Deeds of the lifecycle: evidence, sign-offs, gates."""

from safebelt.rooms.registry.service.registering import Registering


class Lifecycle(Registering):
    """Deeds of the lifecycle: evidence, sign-offs, gates."""
