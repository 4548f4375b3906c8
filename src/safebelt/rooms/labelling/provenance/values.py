"""A label as it stands in a file."""

import json

from safebelt.rooms.labelling.model.label import AigcLabel


def value_of(label: AigcLabel) -> str:
    """Return a label as one line of ASCII: the bare object, as containers hold it under a key named AIGC."""
    return json.dumps(label.as_object(), ensure_ascii=True, separators=(",", ":"))
