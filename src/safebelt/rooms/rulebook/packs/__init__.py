"""The YAML door of the rulebook: reads `law/` and described systems, every error with its file and line."""

from safebelt.rooms.rulebook.packs.check import check_folder
from safebelt.rooms.rulebook.packs.completeness import Completeness, completeness, completeness_table
from safebelt.rooms.rulebook.packs.describe import read_description, vocabulary
from safebelt.rooms.rulebook.packs.findings import Finding, Unreadable
from safebelt.rooms.rulebook.packs.law import Law, load_law, load_overlay, open_law, read_overlay
from safebelt.rooms.rulebook.packs.publish import description_schema, template
from safebelt.rooms.rulebook.packs.trying import CaseResult, run_cases

__all__ = [
    "CaseResult",
    "Completeness",
    "Finding",
    "Law",
    "Unreadable",
    "check_folder",
    "completeness",
    "completeness_table",
    "description_schema",
    "load_law",
    "load_overlay",
    "open_law",
    "read_description",
    "read_overlay",
    "run_cases",
    "template",
    "vocabulary",
]
