"""The deeds a belt's worker does: what to go by, and what became of its records.  It carries nothing of the console."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from safebelt.rooms.belt.model import Policy
from safebelt.rooms.belt.service.evidence import Evidence
from safebelt.rooms.belt.service.harness import Harnesses


class Serving(Harnesses, Evidence):
    """The belt, as those who serve its port use it."""

    def take(self, folder: Mapping[str, Policy], kept: Iterable[Policy]) -> None:
        """Take policies as read that were read, and proven, before: what reads them would stay in memory.

        Args:
            folder: Those of the house's folder, by id.
            kept: The versions in force.
        """
        self._t = replace(self._t, policies=folder)
        self._kept_by_digest |= {policy.digest: policy for policy in kept}
