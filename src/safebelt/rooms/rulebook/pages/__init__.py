"""The rulebook's pages."""

from safebelt.rooms.rulebook.pages import drafts, interviews, law, reading_more, systems, trying

PAGES = (*law.PAGES, *reading_more.PAGES, *systems.PAGES, *trying.PAGES, *drafts.PAGES, *interviews.PAGES)

__all__ = ["PAGES"]
