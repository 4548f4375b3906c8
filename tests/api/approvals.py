"""Held tool calls, for the tests of the API that answer them."""

from typing import Any

from tests.api.conftest import Api
from tests.rooms.belt.house import held_call

from safebelt.kernel.actors import Role
from safebelt.rooms.belt.control.calls import CallBox


def held(api: Api) -> dict[str, dict[str, Any]]:
    """Hold calls, and return what makes each operation on them do its work."""
    path, shown, good, bad = "/api/belt/approvals/{approval_id}", *(_hold(api) for _ in range(3))
    return {
        f"GET {path}": {"path_parameters": {"approval_id": shown}},
        f"POST {path}/approve": _answer(good),
        f"POST {path}/refuse": _answer(bad),
    }


def _answer(approval_id: str) -> dict[str, Any]:
    return {"path_parameters": {"approval_id": approval_id}, "body": {"reason": "looked at"}, "role": Role.OVERSEER}


def _hold(api: Api) -> str:
    known = {name: api.known[name] for name in ("system_id", "key_id")}
    held = held_call(api.house.new_id, api.house.clock, 3600, record=api.known["record_id"], **known)
    CallBox(api.house.box.folder / "calls").hold(held)
    return held.id
