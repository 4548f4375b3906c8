"""Scanners made beside the event loop: one of many words takes seconds, and nobody else is to wait for it."""

import asyncio
from datetime import date

from safebelt.rooms.belt.model import Policy
from safebelt.rooms.belt.proxy.screens import Screens
from safebelt.rooms.belt.scanner.engine import Scanner


class Making:
    """Has the scanner of a policy made before an exchange asks for it.

    Those of the policies in use are made with the snapshot; what comes unforeseen is minors' mode by a header.

    Args:
        screens: Where scanners are kept.
    """

    def __init__(self, screens: Screens) -> None:
        self._screens = screens
        self._under_way: dict[tuple[str, date], asyncio.Future[Scanner]] = {}

    async def ready(self, policy: Policy, on: date) -> None:
        """Wait until there is a scanner for a policy on a day; it is made once, however many wait for it."""
        if self._screens.knows(policy.digest, on):
            return
        key = (policy.digest, on)
        if key not in self._under_way:
            making = asyncio.get_running_loop().run_in_executor(None, self._screens.of, policy, on)
            self._under_way[key] = making
            making.add_done_callback(lambda _: self._under_way.pop(key, None))
        await asyncio.shield(self._under_way[key])
