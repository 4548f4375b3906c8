"""A check as programs see it: the shape that shell, API and reports share.  Pure."""

from typing import Any

from safebelt.rooms.labelling.model.checks import Checked, FoundLabel


def as_data(one: Checked) -> dict[str, Any]:
    """Return a check as JSON-ready values: the contract's `{file, axes, aigc, sentence}` and what else was read."""
    return {
        "file": one.file,
        "format": one.kind,
        "size": one.size,
        "axes": {
            axis.value: {"verdict": found.verdict.value, "why": found.reason.as_data()}
            for axis, found in one.axes.items()
        },
        "aigc": dict(one.labels[0].fields) if one.labels else {},
        "labels": [_label_data(label) for label in one.labels],
        "sentence": {"zh": one.sentence.zh, "en": one.sentence.en},
        "next_steps": [{"zh": step.zh, "en": step.en} for step in one.next_steps],
        "facts": dict(one.facts),
    }


def _label_data(label: FoundLabel) -> dict[str, Any]:
    return {
        "place": label.place,
        "is_native": label.is_native,
        "fields": dict(label.fields),
        "at": label.at,
        "length": label.length,
    }
