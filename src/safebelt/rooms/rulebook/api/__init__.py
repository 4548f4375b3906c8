"""The rulebook's JSON door."""

from safebelt.rooms.rulebook.api import drafts, interviews, judging, law, reading_more, systems

API = (*law.API, *reading_more.API, *judging.API, *systems.API, *drafts.API, *interviews.API)

__all__ = ["API"]
