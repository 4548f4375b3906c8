"""The feed of what was published last (RFC 4287), and the map of the register for search engines (sitemaps.org)."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time
from xml.etree import ElementTree as ET

from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.portal.decide import shown_on
from safebelt.rooms.registry.model.public import PublicLine

ATOM = "http://www.w3.org/2005/Atom"
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
XHTML = "http://www.w3.org/1999/xhtml"
TAGS = {"zh": "zh-Hans", "en": "en"}
"""Language tags (RFC 5646)."""

_FEED = Text(zh="公开登记册：最近公开的 AI 系统", en="Public register: AI systems published last")
_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
"""When a feed that never had an entry was updated: RFC 4287 wants a time, and this one claims nothing."""


def atom(lines: Sequence[PublicLine], *, base: str, lang: Lang) -> bytes:
    """Write the feed.

    Args:
        lines: Latest first.
        base: Address of this house, without a slash at its end.
        lang: Of titles and texts.
    """
    ET.register_namespace("", ATOM)
    feed = ET.Element(f"{{{ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": TAGS[lang]})
    here = f"{base}/{lang}/register"
    _text(feed, "id", f"{here}/feed.atom")
    _text(feed, "title", _FEED.in_(lang))
    _text(feed, "updated", max((updated(line) for line in lines), default=_BEGINNING).isoformat())
    ET.SubElement(feed, f"{{{ATOM}}}link", {"rel": "self", "type": "application/atom+xml", "href": f"{here}/feed.atom"})
    ET.SubElement(feed, f"{{{ATOM}}}link", {"rel": "alternate", "type": "text/html", "href": here})
    _text(ET.SubElement(feed, f"{{{ATOM}}}author"), "name", Text(zh="公开登记册", en="Public register").in_(lang))
    for line in lines:
        _entry(feed, line, f"{here}/{line.id}", lang)
    return _written(feed)


def updated(line: PublicLine) -> datetime:
    """Return when a line became visible as it is: an embargo ends at the beginning of its day."""
    day = shown_on(line)
    return line.at if day == line.at.date() else datetime.combine(day, time(), tzinfo=UTC)


def _entry(feed: ET.Element, line: PublicLine, url: str, lang: Lang) -> None:
    entry = ET.SubElement(feed, f"{{{ATOM}}}entry")
    _text(entry, "id", url)
    _text(entry, "title", line.name.in_(lang))
    _text(entry, "updated", updated(line).isoformat())
    _text(entry, "published", datetime.combine(line.since, time(), tzinfo=UTC).isoformat())
    ET.SubElement(entry, f"{{{ATOM}}}link", {"rel": "alternate", "type": "text/html", "href": url})
    _text(entry, "summary", line.purpose.in_(lang))
    if line.provider:
        _text(ET.SubElement(entry, f"{{{ATOM}}}author"), "name", line.provider)


def sitemap_index(cursors: Iterable[str], *, base: str) -> bytes:
    """Write the index of the site map: one part for each cursor, the general pages first."""
    ET.register_namespace("", SITEMAP)
    index = ET.Element(f"{{{SITEMAP}}}sitemapindex")
    for cursor in cursors:
        address = f"{base}/sitemap.xml?after={cursor or 'start'}"
        ET.SubElement(ET.SubElement(index, f"{{{SITEMAP}}}sitemap"), f"{{{SITEMAP}}}loc").text = address
    return _written(index)


def sitemap(lines: Iterable[PublicLine], *, base: str, has_general: bool) -> bytes:
    """Write one part of the site map: each page in each language, each naming the others.

    Args:
        lines: The systems of this part.
        base: Address of this house, without a slash at its end.
        has_general: Whether the register itself and its statistics are in this part.
    """
    ET.register_namespace("", SITEMAP)
    ET.register_namespace("xhtml", XHTML)
    urlset = ET.Element(f"{{{SITEMAP}}}urlset")
    for path in ("register", "register/statistics") if has_general else ():
        _page(urlset, path, base, "")
    for line in lines:
        _page(urlset, f"register/{line.id}", base, shown_on(line).isoformat())
    return _written(urlset)


def _page(urlset: ET.Element, path: str, base: str, changed: str) -> None:
    for lang in LANGS:
        url = ET.SubElement(urlset, f"{{{SITEMAP}}}url")
        ET.SubElement(url, f"{{{SITEMAP}}}loc").text = f"{base}/{lang}/{path}"
        if changed:
            ET.SubElement(url, f"{{{SITEMAP}}}lastmod").text = changed
        for each in LANGS:
            alternate = {"rel": "alternate", "hreflang": TAGS[each], "href": f"{base}/{each}/{path}"}
            ET.SubElement(url, f"{{{XHTML}}}link", alternate)


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, f"{{{ATOM}}}{name}").text = _allowed(text)


def _allowed(text: str) -> str:
    """Leave out what XML 1.0 cannot carry, whatever anybody wrote into a name."""
    return "".join(
        char
        for char in text
        if char in "\t\n\r" or " " <= char <= "\ud7ff" or "\ue000" <= char <= "\ufffd" or char > "\uffff"
    )


def _written(root: ET.Element) -> bytes:
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))
