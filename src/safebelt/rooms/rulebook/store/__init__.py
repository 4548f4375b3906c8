"""What the rulebook remembers.  The law itself is files; here is what people put before it and decided about it."""

from safebelt.rooms.rulebook.store import decisions, descriptions, interviews

TABLES = (*descriptions.TABLES, *decisions.TABLES, *interviews.TABLES)

__all__ = ["TABLES", "decisions", "descriptions", "interviews"]
