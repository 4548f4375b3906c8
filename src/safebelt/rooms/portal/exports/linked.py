"""What search engines and telephones read: schema.org as JSON-LD, and a page's address as a QR code."""

from collections.abc import Mapping
from typing import Any

import segno
from markupsafe import Markup

from safebelt.kernel.text import Lang
from safebelt.rooms.portal.exports.feeds import TAGS
from safebelt.rooms.registry.model.public import PublicFile

_QUIET = 4
"""Modules of white around the code (ISO/IEC 18004)."""


def software(found: PublicFile, *, url: str, lang: Lang) -> dict[str, Any]:
    """Return a system as schema.org's SoftwareApplication; what is not published is not in it."""
    record = found.record
    said: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "SoftwareApplication",
        "@id": url,
        "url": url,
        "identifier": found.line.id,
        "name": record["name"][lang],
        "description": record["purpose"][lang],
        "applicationCategory": "Artificial intelligence system",
        "inLanguage": TAGS[lang],
        "datePublished": found.line.since.isoformat(),
        "dateModified": found.line.at.date().isoformat(),
    }
    provider: Mapping[str, str] | None = record["provider"]
    if provider and provider["name"]:
        said["provider"] = {"@type": "Organization", "name": provider["name"]}
    return said


def dataset(*, base: str, lang: Lang, name: str, description: str, modified: str) -> dict[str, Any]:
    """Return the register as schema.org's Dataset, with where machines get it."""
    here = f"{base}/{lang}/register"
    forms = (("application/json", f"{base}/api/public/systems"), ("text/csv", f"{base}/api/public/systems.csv"))
    return {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "@id": here,
        "url": here,
        "name": name,
        "description": description,
        "inLanguage": TAGS[lang],
        "isAccessibleForFree": True,
        "dateModified": modified,
        "distribution": [
            {"@type": "DataDownload", "encodingFormat": form, "contentUrl": address} for form, address in forms
        ],
    }


def qr(url: str, label: str) -> Markup:
    """Draw an address as a QR code: one path, no style, with what it is in words for whoever cannot see it."""
    code = segno.make(url, error="m", micro=False)
    width, height = code.symbol_size(border=0)
    path = "".join(_runs(tuple(row), y) for y, row in enumerate(code.matrix))
    return Markup(
        '<svg class="sb-public__qr" viewBox="-{q} -{q} {w} {h}" role="img" aria-label="{label}" focusable="false">'
        '<rect class="sb-public__qr-paper" x="-{q}" y="-{q}" width="{w}" height="{h}"/>'
        '<path class="sb-public__qr-ink" d="{path}"/></svg>'
    ).format(q=_QUIET, w=width + 2 * _QUIET, h=height + 2 * _QUIET, label=label, path=path)


def _runs(row: tuple[int, ...], y: int) -> str:
    """Draw a row's dark modules, each run as one box."""
    parts, x = [], 0
    while x < len(row):
        length = 1
        while x + length < len(row) and row[x + length] == row[x]:
            length += 1
        if row[x]:
            parts.append(f"M{x} {y}h{length}v1h-{length}z")
        x += length
    return "".join(parts)
