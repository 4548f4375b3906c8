"""The law that is shipped: every rule of form holds, and every case comes out as it says."""

import json
import time
from functools import lru_cache
from pathlib import Path

import jsonschema
import pytest

from safebelt.rooms.rulebook.model import Status
from safebelt.rooms.rulebook.packs import (
    Law,
    completeness,
    completeness_table,
    description_schema,
    open_law,
    read_description,
    run_cases,
    template,
)
from safebelt.rooms.rulebook.packs.documents import read_document

LAW = Path(__file__).resolve().parents[2] / "law"
SYSTEMS = sorted((LAW / "systems").glob("**/*.yaml"))


@lru_cache(maxsize=1)
def shipped() -> Law:
    return open_law(LAW)


def test_every_rule_of_form_holds() -> None:
    assert len(shipped().rulebook.base.norms) > 100  # reading raises one problem that names every error


def test_the_cases_are_many_and_all_agree() -> None:
    results = run_cases(shipped().rulebook, shipped().cases)

    assert len(results) > 1000
    assert [f"{one.as_finding().where}: {one.as_finding().what_en}" for one in results if not one.agrees] == []


def test_every_provision_with_a_duty_has_a_norm_or_says_why_not() -> None:
    rows = completeness(shipped().rulebook, shipped().cases)

    assert {row.instrument: row.missing for row in rows if row.missing} == {}
    assert all(row.cases for row in rows if row.verified + row.unverified)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_table_has_a_line_for_every_instrument(lang) -> None:
    rows = completeness(shipped().rulebook, shipped().cases)

    lines = completeness_table(rows, lang).splitlines()

    assert len(lines) == len(rows) + 3  # head, rule, total


def test_what_is_not_from_the_primary_text_is_marked_so() -> None:
    norms = shipped().rulebook.base.norms.values()

    assert all((one.status is Status.VERIFIED) is (one.basis.value == "primary") for one in norms)


def test_reading_all_of_it_takes_little_time() -> None:
    begun = time.process_time()

    open_law(LAW)

    assert time.process_time() - begun < 5  # 0.9 s on a quiet machine; the bound leaves room for a busy one


@pytest.mark.parametrize("path", SYSTEMS, ids=lambda path: path.stem)
def test_a_described_system_can_be_read_and_fits_the_published_schema(path) -> None:
    rulebook = shipped().rulebook

    described = read_description(path, rulebook)

    plain = json.loads(json.dumps(read_document(path.read_bytes(), path.name).data, default=str))
    assert described.facts
    assert [error.message for error in validator().iter_errors(plain)] == []


@lru_cache(maxsize=1)
def validator() -> jsonschema.Draft202012Validator:
    schema = description_schema(shipped().rulebook)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_template_can_be_read_as_it_is_and_when_every_fact_is_filled_in(lang) -> None:
    rulebook = shipped().rulebook
    blank = template(rulebook, lang)
    known = rulebook.base.facts
    filled = "\n".join(
        line.replace("  # ", "  ", 1) if line.strip("# ").split(":")[0] in known else line
        for line in blank.splitlines()
    )

    assert read_description(blank, rulebook).facts == {}
    assert len(read_description(filled, rulebook).facts) >= len(known)
