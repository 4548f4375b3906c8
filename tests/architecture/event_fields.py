"""The frozen shape of every published event.  Run `python -m tests.architecture.event_fields` to add new kinds.

It adds what is new and touches nothing that is there: a published kind never changes; write `….v2` instead.
"""

from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml
from tests.architecture.house import events

from safebelt.kernel.events import Event

SNAPSHOT = Path(__file__).with_name("event_fields.yaml")
HEAD = "# Every published event kind and its fields.  Add new kinds; never change what is here (write a new version).\n"


def shape(event: type[Event]) -> dict[str, str]:
    """Return `{field: type}` in the order of declaration; a field kept out of the leaf says so."""
    own = [f for f in fields(event) if f.name not in ("subject", "personal")]
    names = {f.name: f.type.__name__ if isinstance(f.type, type) else str(f.type) for f in own}
    return {name: f"{kind}, kept apart" if name in event.apart else kind for name, kind in names.items()}


def frozen() -> dict[str, dict[str, Any]]:
    return yaml.safe_load(SNAPSHOT.read_text()) or {} if SNAPSHOT.exists() else {}


def main() -> None:
    kept = frozen()
    merged = {event.kind: kept.get(event.kind, shape(event)) for event in events()} | kept
    SNAPSHOT.write_text(HEAD + yaml.safe_dump(dict(sorted(merged.items())), sort_keys=False))


if __name__ == "__main__":
    main()
