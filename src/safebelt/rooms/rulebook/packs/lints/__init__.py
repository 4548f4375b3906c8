"""The rules of form of the law's files: each a small pure function over an index, each with a negative control."""

from collections.abc import Callable, Iterator

from safebelt.rooms.rulebook.packs.findings import Finding
from safebelt.rooms.rulebook.packs.lints import amendments, cases, coverage, references, standing
from safebelt.rooms.rulebook.packs.lints.index import Index

LINTS: tuple[Callable[[Index], Iterator[Finding]], ...] = (
    references.cites_exist,
    references.conditions_are_sound,
    references.overrides_exist,
    references.due_facts_are_dates,
    references.evidence_is_known,
    references.controls_are_known,
    references.crosswalks_are_sound,
    coverage.duties_have_norms,
    coverage.ids_are_unique,
    coverage.names_follow_the_folder,
    coverage.groups_exist,
    coverage.everything_is_used,
    standing.nothing_depends_on_itself,
    standing.status_matches_basis,
    standing.what_counts_rests_on_what_counts,
    standing.red_lines_forbid,
    standing.bars_stand_on_red_lines,
    standing.dates_are_in_order,
    standing.parameters_cover_their_norms,
    standing.occurrences_start_clocks,
    cases.cases_are_sound,
    cases.every_norm_has_its_cases,
    cases.every_class_has_its_cases,
    amendments.overlays_are_sound,
    amendments.parts_have_one_header,
    amendments.amended_norms_have_cases_on_both_sides,
)

LINTS_OF_AN_OVERLAY: tuple[Callable[[Index], Iterator[Finding]], ...] = (
    references.cites_exist,
    references.conditions_are_sound,
    references.overrides_exist,
    references.due_facts_are_dates,
    references.evidence_is_known,
    references.controls_are_known,
    coverage.ids_are_unique,
    coverage.names_follow_the_folder,
    coverage.groups_exist,
    standing.status_matches_basis,
    standing.red_lines_forbid,
    standing.dates_are_in_order,
    amendments.overlays_are_sound,
)
"""What can be asked of an overlay that comes alone, beside the text it is to change."""


def lint(index: Index) -> list[Finding]:
    """Apply every rule of form."""
    return [found for rule in LINTS for found in rule(index)]
