"""What every exchange works with."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any, Protocol

from safebelt.engines.clock import Chance, Clock, real_chance
from safebelt.kernel.ids import NewId
from safebelt.kernel.text import Text
from safebelt.rooms.belt.control.switch import Switch
from safebelt.rooms.belt.control.waiting_room import WaitingRoom
from safebelt.rooms.belt.model import Harness, Key, Policy, Snapshot, Standing
from safebelt.rooms.belt.proxy import errors
from safebelt.rooms.belt.proxy.classifying import Classify, nobody_classifies
from safebelt.rooms.belt.proxy.client import UpstreamBroke, UpstreamDown, UpstreamSlow
from safebelt.rooms.belt.proxy.identity import Prove, nobody
from safebelt.rooms.belt.proxy.meter import Meter, Metered
from safebelt.rooms.belt.proxy.screens import Screens
from safebelt.rooms.belt.proxy.strikes import headers_of
from safebelt.rooms.belt.proxy.toolcalls import Holding, nobody_to_ask
from safebelt.rooms.belt.proxy.upstreams import Model, NoneLeft
from safebelt.rooms.belt.proxy.versions import UnknownVersion
from safebelt.rooms.belt.proxy.wire import Headers
from safebelt.rooms.belt.records.sealing import Sealers

if TYPE_CHECKING:
    from safebelt.rooms.labelling.service import AtTheBelt, Labelling


class Fetch(Protocol):
    """Fetches what an answer names by address."""

    async def __call__(self, address: str, /) -> bytes:
        """Return what lies there; raises Unmarked where nothing is fetched from it."""
        ...


async def fetch_nothing(_address: str, /) -> bytes:
    """Fetch from nowhere."""
    raise Unmarked("a picture at an address that the belt does not fetch from")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Built once, in `app.py`.

    Attributes:
        upstream: The model, or several of them.
        earlier: Earlier versions of it, by the names that orders call them.
        switch: Orders and running lines.
        recorder: The records' writer.
        snapshot: Keys, harnesses and policies as known now.
        refresh: Reads them again, for a key issued a moment ago.
        screens: The scanners.
        clock, new_id: Time and ids.
        labelling: Makes the labels.
        health: State of the records' writer, for `/health`.
        max_answer_bytes: Largest whole answer read from the upstream.
        prove: Proves who the guarded system is.
        fetch: Fetches pictures that an answer names by address.
        complain_at: Address of the complaints' page about a system; None where no console is meant for the public.
        hold: Puts a tool call before people and waits.
        room: Where new requests wait while a pause holds them.
        meter: Counts what keys use.
        minors_policy: Id of the policy that minors' mode lays over a system's own.
        zone: In which rules of admission ask about the hour.
        chance: Randomness, for salts.
        classify: Asks a trained model about texts, where a policy has a rule for it.
        sealers: Seal originals where a system's records keep them for an auditor.
    """

    upstream: Model
    switch: Switch
    recorder: Metered
    snapshot: Callable[[], Snapshot]
    refresh: Callable[[], Awaitable[Snapshot]]
    screens: Screens
    clock: Clock
    new_id: NewId
    labelling: "AtTheBelt | Labelling"
    health: Callable[[], dict[str, object]]
    max_answer_bytes: int = 64 * 1024 * 1024
    prove: Prove = nobody
    fetch: Fetch = fetch_nothing
    complain_at: Callable[[str], Text] | None = None
    hold: Holding = nobody_to_ask
    room: WaitingRoom = field(default_factory=WaitingRoom)
    meter: Meter = field(default_factory=Meter)
    minors_policy: str = "safebelt/minors"
    zone: tzinfo = UTC
    chance: Chance = real_chance
    earlier: Mapping[str, Model] = field(default_factory=dict)
    classify: Classify = nobody_classifies
    sealers: Sealers = field(default_factory=lambda: Sealers(real_chance))


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, and how the belt sits on their system.

    Attributes:
        provider: Unified social credit code of the system's provider; empty where it bears none.
        admitted: What the record says of how the request was let in.
        headers: What the answer's head says of it.
        stands: How the key stands, where it has strikes.
        waited_ns: How long the request waited where a pause held it.
    """

    key: Key
    harness: Harness
    policy: Policy
    provider: str = ""
    admitted: Mapping[str, Any] = field(default_factory=dict)
    headers: Headers = ()
    stands: Standing | None = None
    waited_ns: int = 0


_NO_RULES: Mapping[str, Any] = {"admission": {"rules": [], "digest": ""}}
_NO_RULES_HEADERS: Headers = ((b"x-safebelt-admission", b"off"),)
"""What record and head say while there are no rules of admission, and every key is let in."""


def caller_of(snapshot: Snapshot, digest: str) -> Caller | None:
    """Return whose key has this SHA-256; None where it is unknown, revoked, or its system has no belt."""
    key = snapshot.keys.get(digest)
    harness = snapshot.harnesses.get(key.system_id) if key and key.revoked_at is None else None
    policy = snapshot.policies.get(harness.policy) if harness else None
    if not (key and harness and policy):
        return None
    stands, is_ruled = snapshot.strikes.get(key.id), snapshot.admission is not None
    return Caller(
        key=key,
        harness=harness,
        policy=policy,
        provider=snapshot.providers.get(key.system_id, ""),
        admitted={} if is_ruled else _NO_RULES,
        headers=headers_of(stands) if is_ruled else (*headers_of(stands), *_NO_RULES_HEADERS),
        stands=stands,
    )


class Unmarked(UpstreamBroke):
    """What was generated cannot be marked, so it may not leave."""


def upstream_error(failure: Exception) -> errors.BeltError:
    """Return the answer to a failing upstream."""
    if isinstance(failure, Unmarked):
        return errors.UNMARKED
    if isinstance(failure, UnknownVersion):
        return errors.UNKNOWN_VERSION
    if isinstance(failure, NoneLeft):
        return errors.none_left(failure.seconds)
    if isinstance(failure, UpstreamDown):
        return errors.UPSTREAM_DOWN
    return errors.UPSTREAM_SLOW if isinstance(failure, UpstreamSlow) else errors.UPSTREAM_BROKE
