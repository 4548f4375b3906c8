"""The law as data for other tools: an OSCAL catalog (NIST, OSCAL 1.1.2) and plain JSON."""

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.decide.contract import words
from safebelt.rooms.rulebook.decide.showing import condition_data, norm_data
from safebelt.rooms.rulebook.model import LANGUAGE_VERSION, NOT_LEGAL_ADVICE, Instrument, LawText, Norm, Provision

OSCAL_VERSION = "1.1.2"
_NAMESPACE = UUID("6f0f6f0a-4f3c-5d5e-9a52-7d2f6a0b1c34")
"""Our own, so that the same law always gives the same identifiers (RFC 9562, version 5)."""
_NOT_TOKEN = re.compile(r"[^A-Za-z0-9_.-]")


def oscal_catalog(text: LawText, *, at: datetime, instruments: Collection[str] = ()) -> dict[str, Any]:
    """Return an OSCAL catalog: a group per instrument, a control per provision, a part per norm.

    Args:
        text: The law as it reads.
        at: When the catalog is made.
        instruments: Only these; all, if empty.
    """
    chosen = _chosen(text, instruments)
    return {
        "catalog": {
            "uuid": str(uuid5(_NAMESPACE, "catalog|" + "|".join((*chosen, *text.overlays)))),
            "metadata": {
                "title": "Safebelt rulebook",
                "last-modified": at.isoformat(timespec="seconds"),
                "version": f"rule language {LANGUAGE_VERSION}",
                "oscal-version": OSCAL_VERSION,
                "remarks": NOT_LEGAL_ADVICE.en,
            },
            "groups": [_group(one, text) for one in chosen.values()],
        }
    }


def law_json(text: LawText, *, on: Any, instruments: Collection[str] = ()) -> dict[str, Any]:
    """Return everything the rulebook holds of the chosen instruments, conditions in words and as trees."""
    chosen = _chosen(text, instruments)
    return {
        "language": LANGUAGE_VERSION,
        "on": on.isoformat(),
        "overlays": list(text.overlays),
        "notice": words(NOT_LEGAL_ADVICE),
        "instruments": [
            {
                "id": one.id,
                "kind": one.kind.value,
                "jurisdiction": one.jurisdiction,
                "title": words(one.title),
                "url": one.url,
                "standing": one.standing.value,
                "basis": one.basis.value,
                "provisions": [_provision(p) for p in text.provisions.values() if p.instrument == one.id],
                "terms": [
                    {
                        "id": term.id,
                        "title": words(term.title),
                        "when": condition_data(term.when, text, on),
                        "unless": condition_data(term.unless, text, on),
                        "status": term.status.value,
                    }
                    for term in text.terms.values()
                    if term.instrument == one.id
                ],
                "norms": [norm_data(norm, text, on) for norm in text.norms.values() if norm.instrument == one.id],
                "classes": [
                    {
                        "id": each.id,
                        "title": words(each.title),
                        "says": words(each.says),
                        "when": condition_data(each.when, text, on),
                    }
                    for each in one.classes
                ],
            }
            for one in chosen.values()
        ],
    }


def _chosen(text: LawText, instruments: Collection[str]) -> Mapping[str, Instrument]:
    return {name: one for name, one in text.instruments.items() if not instruments or name in instruments}


def _group(one: Instrument, text: LawText) -> dict[str, Any]:
    citing: dict[str, list[Norm]] = {}
    for norm in text.norms.values():
        for cite in norm.cites:
            citing.setdefault(cite, []).append(norm)
    mine = (p for p in text.provisions.values() if p.instrument == one.id)
    group = {
        "id": _token(one.id),
        "class": one.kind.value,
        "title": one.title.en,
        "props": [
            {"name": "jurisdiction", "value": one.jurisdiction},
            {"name": "standing", "value": one.standing.value},
            {"name": "title-zh", "value": one.title.zh},
        ],
        "controls": [_control(p, citing.get(p.id, ())) for p in mine],
    }
    if one.url:
        group["links"] = [{"href": one.url, "rel": "reference"}]
    return group


def _control(provision: Provision, norms: Collection[Norm]) -> dict[str, Any]:
    title: Text = provision.title or provision.summary
    return {
        "id": _token(provision.id),
        "title": title.en,
        "props": [{"name": "label", "value": provision.eid}, {"name": "basis", "value": provision.basis.value}],
        "parts": [
            {"id": f"{_token(provision.id)}_smt", "name": "statement", "prose": provision.summary.en},
            *(_part(norm) for norm in norms),
        ],
    }


def _part(norm: Norm) -> dict[str, Any]:
    return {
        "id": _token(norm.id),
        "name": "guidance",
        "title": norm.title.en,
        "prose": norm.says.en,
        "props": [
            {"name": "bearer", "value": norm.bearer.value},
            {"name": "modality", "value": norm.modality.value},
            {"name": "in-force-from", "value": norm.in_force.from_.isoformat()},
            {"name": "status", "value": norm.status.value},
        ],
    }


def _provision(one: Provision) -> dict[str, Any]:
    return {
        "id": one.id,
        "summary": words(one.summary),
        "duty": one.duty,
        "no_norm": words(one.no_norm) if one.no_norm else None,
        "basis": one.basis.value,
    }


def _token(name: str) -> str:
    """Return an id as OSCAL's `token` allows: it starts with a letter, and knows no slash or hash."""
    token = _NOT_TOKEN.sub("_", name)
    return token if token[:1].isalpha() else f"x_{token}"
