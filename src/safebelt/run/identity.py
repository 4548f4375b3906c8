"""The belt's side of its own identity: the agent looks in a thread of its own, and the log says what changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from safebelt.app import House
from safebelt.engines.loop import Loop
from safebelt.rooms.belt.proxy.identity import Prove, nobody

if TYPE_CHECKING:
    from safebelt.rooms.certificates.service import Agent

_log = structlog.get_logger("safebelt.belt")


class BeltIdentity:
    """Who the system behind this belt is.

    Args:
        agent: Carries its identity; None where the settings name no system.
    """

    def __init__(self, agent: "Agent | None") -> None:
        self._agent = agent
        self.prove: Prove = agent.identity if agent else nobody
        self._told: tuple[str, str] = ("", "")

    def step(self) -> bool:
        """Let the agent look, and tell the log of what changed."""
        if self._agent is not None:
            self._agent.look()
            self._tell(self._agent)
        return False  # rest after each look

    def health(self) -> dict[str, object]:
        """Return what `/health` says of the identity; nothing where there is none to carry."""
        if self._agent is None:
            return {}
        now = self._agent.carried
        until = now.not_after.isoformat() if now.not_after else ""
        return {
            "identity": {
                "system": now.system_id,
                "state": self._agent.bearing().value,
                "serial": now.serial,
                "until": until,
                "failures": now.failures,
            }
        }

    def _tell(self, agent: "Agent") -> None:
        now, bearing = agent.carried, agent.bearing().value
        problem = now.problem.en if now.problem else ""
        told = (f"{bearing} {now.serial}", f"{now.failures} {problem}")
        if told == self._told:
            return
        self._told = told
        until = now.not_after.isoformat() if now.not_after else ""
        if problem:
            again = now.next_try_at.isoformat() if now.next_try_at else ""
            _log.warning(
                "belt.identity_not_renewed",
                system=now.system_id,
                state=bearing,
                until=until,
                failures=now.failures,
                next_try=again,
                problem=problem,
            )
        else:
            _log.info("belt.identity", system=now.system_id, state=bearing, serial=now.serial, until=until)


@contextmanager
def belt_identity(house: House) -> Iterator[BeltIdentity]:
    """Carry the identity that the settings name for as long as the block runs."""
    agent = house.agent()
    found = BeltIdentity(agent)
    if agent is None:
        yield found
        return
    loop = Loop("identity", found.step, idle_seconds=house.settings.identity_seconds)
    loop.start()
    try:
        yield found
    finally:
        loop.stop(timeout_seconds=1.0)  # a thread of this process: an answer that is awaited ends with it
