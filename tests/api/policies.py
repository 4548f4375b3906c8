"""What makes the operations about policies do their work."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.api.conftest import Api

from safebelt.kernel.actors import OWNER

SHIPPED = Path(__file__).parents[2] / "screening" / "safebelt-baseline.yaml"


def written(id_: str, version: int = 1) -> str:
    text = SHIPPED.read_text("utf-8").replace("policy: safebelt/baseline", f"policy: {id_}")
    return text.replace("\nversion: 1\n", f"\nversion: {version}\n")


def brought(api: Api) -> dict[str, dict[str, Any]]:
    """One policy to load, one with two versions, and one whose red lines somebody else would change."""
    belt, text = api.house.belt, SHIPPED.read_text("utf-8")
    for content in (written("example/two"), written("example/two", 2), written("example/red")):
        belt.load_policy(content.encode(), "an example", by=OWNER)
    softer = written("example/red", 2).replace("    red_line: true\n", "", 1)
    waits = belt.load_policy(softer.encode(), "an example", by=OWNER).proposal
    assert waits is not None
    since = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    return {
        "POST /api/belt/policies/check": {"body": {"yaml": text}},
        "POST /api/belt/policies": {"body": {"yaml": written("example/new"), "reason": "new"}},
        "POST /api/belt/policies/replay": {"body": {"yaml": text, "since": since}},
        "GET /api/belt/over-blocking": {"query": {"policy": "example/two"}},
        "POST /api/belt/over-blocking": {"body": {"policy": "example/two"}},
        "POST /api/belt/policies/roll-back": {"body": {"policy": "example/two", "reason": "back"}},
        "GET /api/belt/policies/version": {"query": {"policy": "example/two", "version": "1"}},
        "POST /api/belt/policies/changes/{proposal_id}/second": {
            "path_parameters": {"proposal_id": waits.id},
            "body": {"reason": "read"},
        },
    }
