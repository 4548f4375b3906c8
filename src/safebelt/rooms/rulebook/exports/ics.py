"""Dates to come as an iCalendar file (RFC 5545), for any calendar program."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from icalendar import Calendar, Event

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.rulebook.model import NOT_LEGAL_ADVICE, Entry

_PRODUCT = "-//Safebelt//rulebook//EN"


def calendar_ics(entries: Iterable[Entry], *, name: Text, at: datetime, lang: Lang | None = None) -> bytes:
    """Return dates to come as whole-day events.

    Args:
        entries: The dates.
        name: Whose they are.
        at: When the file is made.
        lang: The language of the events; both, if None.
    """
    book = Calendar()
    book.add("prodid", _PRODUCT)
    book.add("version", "2.0")
    book.add("x-wr-calname", _in(name, lang))
    for entry in entries:
        event = Event()
        # The same date of the same thing keeps its id, so that importing again moves nothing twice.
        event.add(
            "uid", f"{sha256(f'{name.en}|{entry.about}|{entry.kind}|{entry.on}'.encode()).hexdigest()[:32]}@safebelt"
        )
        event.add("dtstamp", at)
        event.add("dtstart", entry.on)
        event.add("summary", _in(entry.title, lang))
        event.add("description", "\n".join((_in(entry.why.says, lang), *entry.cites, _in(NOT_LEGAL_ADVICE, lang))))
        event.add("transp", "TRANSPARENT")
        book.add_component(event)
    return bytes(book.to_ical())


def _in(text: Text, lang: Lang | None) -> str:
    if lang is not None:
        return text.in_(lang)
    return text.zh if text.zh == text.en else f"{text.zh} / {text.en}"
