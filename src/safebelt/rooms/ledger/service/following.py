"""The monitor as a habit: other logs that the operator named are looked at, and what is wrong goes on our own log."""

import base64
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import structlog

from safebelt.engines.signing import VerifierKey
from safebelt.engines.sql import Sql
from safebelt.kernel.actors import MACHINE
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Problem, Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.ledger import decide, store
from safebelt.rooms.ledger.model import Checkpoint, LogMisbehaved, Sight, Sighting
from safebelt.rooms.ledger.service.checking import read_policy
from safebelt.rooms.ledger.service.elsewhere import NewClient, is_address
from safebelt.rooms.ledger.service.monitoring import Monitor
from safebelt.rooms.ledger.service.publishing import Append

_LOCK = "ledger monitor"
_SUBJECT_CHARS = 80

_log = structlog.get_logger(__name__)


class Following:
    """Other logs that we watch by ourselves.

    Args:
        sql: The database.
        append: Remembers an event on our log.
        folder: Where checkpoints and evidence are kept.
        policy: C2SP tlog-policy file; its logs that have an address are watched.  None: there are none.
        new_client: Makes an HTTP client.
    """

    def __init__(self, sql: Sql, *, append: Append, folder: Path, policy: Path | None, new_client: NewClient) -> None:
        self._sql, self._append, self._folder = sql, append, folder
        self._policy, self._new_client = policy, new_client

    def look(self) -> list[Sighting]:
        """Look at every log once; what is wrong becomes an entry, once for each checkpoint that we had kept.

        Raises:
            Invalid: The policy file is none.
            Unavailable: It cannot be read.
        """
        found = list[Sighting]()
        for place, keys in self._logs().items():
            state = self._folder / f"{sha256(place.encode()).hexdigest()[:32]}.note"
            monitor = Monitor(place, keys, state, new_client=self._new_client)
            try:
                seen = monitor.look()
            except Problem as problem:  # one log's state does not keep us from looking at the others
                _log.error("ledger.monitor_failed", place=place, error=str(problem))
                continue
            for sighting in seen:
                self._note(sighting, keys[0].name)
            found += seen
        return found

    def _logs(self) -> dict[str, list[VerifierKey]]:
        if self._policy is None:
            return {}
        try:
            with self._policy.open("rb") as file:
                data = file.read(decide.MAX_POLICY_BYTES + 1)
        except OSError as error:
            raise _no_policy(self._policy, error.strerror or str(error)) from error
        logs = dict[str, list[VerifierKey]]()
        for log in read_policy(data).logs:
            if is_address(log.url):
                logs.setdefault(log.url.rstrip("/"), []).append(VerifierKey.parse(log.key))
        return logs

    def _note(self, sighting: Sighting, name: str) -> None:
        """Remember a finding, unless an earlier look found the same."""
        if sighting.sight is Sight.UNREACHABLE:
            _log.warning("ledger.monitor_unreachable", place=sighting.place, why=str(sighting.says))
        if sighting.sight.holds is not Truth.FALSE:
            return
        kept, shown = _told(sighting.kept), _told(sighting.shown)
        origin = next((each.origin for each in (sighting.kept, sighting.shown) if each is not None), name)
        event = LogMisbehaved(
            subject=origin[:_SUBJECT_CHARS],
            sight=sighting.sight,
            place=sighting.place,
            kept_size=kept[0],
            kept_root=kept[1],
            shown_size=shown[0],
            shown_root=shown[1],
            evidence=sha256(sighting.evidence.encode()).hexdigest() if sighting.evidence else "",
        )
        with self._sql.begin() as tx:
            self._sql.exclusive(tx, _LOCK)
            said = (_identity(decide.parse_body(body)["data"]) for body in store.bodies_of(tx, LogMisbehaved.kind))
            if _identity(event.data()) not in said:
                self._append(tx, event, by=MACHINE)


def _told(checkpoint: Checkpoint | None) -> tuple[int, str]:
    return (-1, "") if checkpoint is None else (checkpoint.size, base64.b64encode(checkpoint.root).decode())


def _identity(data: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what makes a finding the same as an earlier one; a log that goes on forking is told of once."""
    return tuple(data[name] for name in ("sight", "place", "kept_size", "kept_root"))


def _no_policy(path: Path, why: str) -> Unavailable:
    return Unavailable(
        what=Text(zh=f"无法读取策略文件 {path}：{why}。", en=f"The policy file {path} cannot be read: {why}."),
        hint=Text(
            zh="请核对 SAFEBELT_MONITORED_LOGS 所指的文件。",
            en="Check the file that SAFEBELT_MONITORED_LOGS names.",
        ),
    )
