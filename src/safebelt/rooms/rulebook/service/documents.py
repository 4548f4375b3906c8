"""Deeds for rooms that keep data of their own as YAML: read a file with its lines, say every error at once.

One reader for the whole house: what a person writes is read, bounded and corrected alike, whichever room it is for.
"""

from safebelt.rooms.rulebook.packs.documents import MAX_BYTES, Document, read_document
from safebelt.rooms.rulebook.packs.findings import Finding, finding, unreadable
from safebelt.rooms.rulebook.packs.messages import few_suggestions, suggestion, validated
from safebelt.rooms.rulebook.packs.schemas.base import Words

__all__ = [
    "MAX_BYTES",
    "Document",
    "Finding",
    "Words",
    "few_suggestions",
    "finding",
    "read_document",
    "suggestion",
    "unreadable",
    "validated",
]
