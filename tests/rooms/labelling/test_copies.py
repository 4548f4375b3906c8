"""A copy without a visible notice is made from the original, for somebody who is remembered, and forgotten in time."""

import csv
import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.rooms.certificates.test_pki_c2pa import POINT

from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Conflict, Invalid, Problem
from safebelt.rooms.labelling.cli import commands
from safebelt.rooms.labelling.decide import copies
from safebelt.rooms.labelling.model import Axis, Mark, Verdict
from safebelt.rooms.labelling.model.copies import GiveCopy, Recipient
from safebelt.rooms.labelling.service import MarkFile

WHO = Recipient(name="王敏", contact="min@example.org", reason="用于印刷年报")
TEXT = "河边的白鹭在浅水里觅食。"


@pytest.fixture
def original(tmp_path):
    path = tmp_path / "original.jpg"
    path.write_bytes(POINT)
    return path


@pytest.fixture
def request_(served):
    return GiveCopy(system_id=served.id, recipient=WHO, agreement="用户协议 2026-3 第 7 条")


@pytest.fixture
def given(labelling, original, request_, tmp_path):
    return labelling.give_copy(original, tmp_path / "copy.jpg", request_, by=OWNER)


def test_a_copy_has_every_mark_but_the_notice(labelling, ledger, given, tmp_path):
    made, _ = given
    ledger.advance()

    found = labelling.verify(tmp_path / "copy.jpg")

    assert {Mark.AIGC, Mark.C2PA} <= set(made.put)
    assert Mark.EXPLICIT not in made.put and Mark.EXPLICIT not in made.left_out
    for axis in (Axis.AIGC, Axis.INTEGRITY, Axis.C2PA, Axis.LEDGER):
        assert found.axes[axis].verdict is Verdict.OK


def test_a_text_gets_no_notice(labelling, request_, tmp_path):
    source = tmp_path / "a.txt"
    source.write_text(TEXT, "utf-8")

    labelling.give_copy(source, tmp_path / "b.txt", request_, by=OWNER)

    assert (tmp_path / "b.txt").read_text("utf-8") == TEXT


def test_who_received_it_is_kept_six_months_and_is_in_no_entry(labelling, ledger, rules, given):
    _, copy = given
    on = copy.at.date()

    entries = ledger.entries(subject=copy.id)

    assert copies.keep_until(on, 6) == copy.keep_until
    assert rules.text().parameters["cn.labelling.log_months"].on(on) == 6
    assert [one.kind for one in entries] == ["labelling.copy_given.v1"]
    assert entries[0].data["mark_id"] == copy.mark_id
    said = json.dumps([{"data": one.data, "personal": one.personal} for one in entries], ensure_ascii=False)
    assert not any(word in said for word in (WHO.name, WHO.contact, WHO.reason))


def test_copies_are_found_by_who_received_them_and_others_are_not(labelling, given, served):
    _, copy = given

    assert labelling.copies() == labelling.copies(find="王敏") == labelling.copies(find="2026-3") == [copy]
    assert labelling.copies(find="MIN@example", system_id=served.id) == [copy]
    assert labelling.copies(find="100%") == labelling.copies(system_id="sys_other") == labelling.copies(page=2) == []


def test_when_the_time_is_over_who_it_was_is_erased_and_that_it_was_given_is_not(labelling, ledger, given, monkeypatch):
    _, copy = given
    now = labelling.desk.clock()
    last, after = (
        now.replace(year=day.year, month=day.month, day=day.day)
        for day in (copy.keep_until, copy.keep_until + timedelta(days=1))
    )

    monkeypatch.setattr(labelling.desk, "clock", lambda: last)
    kept = labelling.forget()
    monkeypatch.setattr(labelling.desk, "clock", lambda: after)
    erased = labelling.forget()

    assert (kept, erased, labelling.forget()) == (0, 1, 0)
    assert labelling.copies() == [replace(copy, recipient=None)]
    assert labelling.copies(find=WHO.name) == []
    assert [one.kind for one in ledger.entries(subject=copy.id)] == [
        "labelling.recipient_erased.v1",
        "labelling.copy_given.v1",
    ]


def test_from_a_file_that_was_marked_no_copy_is_made(labelling, served, request_, tmp_path):
    source, marked = tmp_path / "a.txt", tmp_path / "m.txt"
    source.write_text(TEXT, "utf-8")

    for mark in (Mark.EXPLICIT, Mark.AIGC):
        labelling.mark(source, marked, MarkFile(system_id=served.id, marks=frozenset({mark})), by=OWNER)
        with pytest.raises(Conflict):
            labelling.give_copy(marked, tmp_path / "out.txt", request_, by=OWNER)

    assert not (tmp_path / "out.txt").exists()
    assert labelling.copies() == []


def test_a_marked_picture_that_was_changed_since_is_known_by_its_label(labelling, served, original, request_, tmp_path):
    marked = tmp_path / "m.jpg"
    labelling.mark(original, marked, MarkFile(system_id=served.id, marks=frozenset({Mark.AIGC})), by=OWNER)
    marked.write_bytes(marked.read_bytes() + b"\0")

    with pytest.raises(Conflict, match="marked this file already"):
        labelling.give_copy(marked, tmp_path / "out.jpg", request_, by=OWNER)


def test_a_text_with_anybodys_notice_is_refused(labelling, request_, tmp_path):
    source = tmp_path / "a.txt"
    source.write_text(f"本文由AI生成。\n{TEXT}", "utf-8")

    with pytest.raises(Conflict, match="visible notice"):
        labelling.give_copy(source, tmp_path / "out.txt", request_, by=OWNER)


@pytest.mark.parametrize("field", ["name", "contact", "reason"])
@pytest.mark.parametrize("said", ["", "  ", "x" * 501, "a\nb"])
def test_a_request_that_is_not_whole_is_refused(field, said):
    with pytest.raises(Invalid) as refused:
        copies.hold_request(GiveCopy(system_id="sys_1", agreement="v3", recipient=replace(WHO, **{field: said})))

    assert refused.value.details == {"field": field}


def test_without_an_agreement_or_onto_the_original_nothing_is_given(labelling, original, request_, tmp_path):
    with pytest.raises(Invalid):
        labelling.give_copy(original, tmp_path / "out.jpg", replace(request_, agreement=""), by=OWNER)
    with pytest.raises(Invalid, match="original's place"):
        labelling.give_copy(original, original, request_, by=OWNER)

    assert original.read_bytes() == POINT


def test_a_copy_that_could_not_be_remembered_is_not_left_behind(labelling, original, request_, tmp_path, monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr("safebelt.rooms.labelling.store.insert_copy", broken)

    with pytest.raises((OSError, Problem)):
        labelling.give_copy(original, tmp_path / "out.jpg", request_, by=OWNER)

    assert not (tmp_path / "out.jpg").exists()


@pytest.mark.parametrize(
    ("on", "months", "until"),
    [
        (date(2026, 11, 22), 6, date(2027, 5, 22)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
        (date(2027, 8, 31), 6, date(2028, 2, 29)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2026, 6, 30), 18, date(2027, 12, 30)),
    ],
)
def test_months_are_counted_by_the_calendar(on, months, until):
    assert copies.keep_until(on, months) == until


def test_the_shell_gives_lists_and_exports_and_runs_no_formula(labelling, original, served, tmp_path):
    app = commands(labelling)

    def run(*words):
        return app([str(word) for word in words], result_action="return_value")

    asked = ("--name", "=HYPERLINK(1)", "--contact", "a@example.org", "--reason", "print", "--agreement", "v3")
    made = run("without-notice", original, "-o", tmp_path / "c.jpg", "--system", served.id, *asked)
    listed = run("copies", "list", "--find", "a@example")
    run("copies", "export", tmp_path / "copies.csv")

    rows = list(csv.DictReader((tmp_path / "copies.csv").read_text("utf-8-sig").splitlines()))
    assert made.data["put"].keys() >= {"aigc", "c2pa"}
    assert [one["id"] for one in listed.data] == [made.data["id"]] == [row["id"] for row in rows]
    assert rows[0]["name"] == "'=HYPERLINK(1)"
    assert (tmp_path / "copies.csv").stat().st_mode & 0o077 == 0
