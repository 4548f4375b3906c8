"""The whole register: every piece in one class."""

from safebelt.rooms.registry.service.labelling import Labelling


class Registry(Labelling):
    """The register of parties and AI systems; `Tools` says what it works with."""
