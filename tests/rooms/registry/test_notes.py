"""Files, comments, tasks: what a file is, is read from its bytes; what people write can be erased; all of it is remembered."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from litestar.testing import TestClient
from tests.rooms.registry.house import build_app

from safebelt.kernel.actors import OWNER, Actor, Role
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.registry.decide.files import FILE_NAME_LIMIT, disposition, file_name, sent_type, sniff
from safebelt.rooms.registry.model import RegisterParty, RegisterSystem, System
from safebelt.rooms.registry.model.notes import Assign, ChangeTask, Say
from safebelt.rooms.registry.model.things import RegisterThing, ThingKind
from safebelt.rooms.registry.service import Registry

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
HTML = b"<!DOCTYPE html><script>alert(1)</script>"
ANNA = Actor(id="usr_anna", roles=frozenset({Role.OPERATOR}), door="web")
few = settings(max_examples=60, deadline=None, derandomize=True, database=None)


def system(registry: Registry) -> System:
    party = registry.register_party(RegisterParty(name="明理科技有限公司"), by=OWNER)
    return registry.register_system(
        RegisterSystem(provider_id=party.id, name_zh="政务问答助手", purpose_zh="回答办事问题"), by=OWNER
    )


# --- files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (PNG, "image/png"),
        (HTML, "text/html"),
        (b"  \n<svg onload=alert(1)>", "text/html"),
        (b"hello <script>x</script>", "text/html"),
        (b"%PDF-1.7", "application/pdf"),
        (b"<?xml version='1.0'?><a/>", "application/xml"),
        ("中文文本".encode()[:-1], "text/plain"),
        (b"\xff\xfe\x00", "application/octet-stream"),
        (b"MZ\x90\x00", "application/x-executable"),
    ],
)
def test_what_a_file_is_is_read_from_its_bytes(content: bytes, media_type: str) -> None:
    assert sniff(content) == media_type


@pytest.mark.parametrize("media_type", ["text/html", "application/xml", "application/x-executable", "image/svg+xml"])
def test_what_a_browser_could_run_goes_out_as_mere_bytes(media_type: str) -> None:
    assert sent_type(media_type) == "application/octet-stream"


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\报告.pdf", "报告.pdf"),
        ("a\0b\r\nX: y.txt", "abX: y.txt"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("...", "unnamed"),
        ("", "unnamed"),
        ("x" * 400 + ".tar", "x" * (FILE_NAME_LIMIT - 4) + ".tar"),
    ],
)
def test_a_name_loses_its_folders_and_what_nobody_sees(given_name: str, name: str) -> None:
    assert file_name(given_name) == name


@few
@given(st.text(max_size=300))
def test_whatever_a_file_is_called_its_name_and_header_are_harmless(given_name: str) -> None:
    name = file_name(given_name)
    header = disposition(name)

    assert 0 < len(name) <= FILE_NAME_LIMIT and not name.startswith(".") and not set(name) & set("/\\\0\r\n")
    assert header.isascii() and header.isprintable() and header.startswith("attachment;")
    assert header.count('"') == 2 and file_name(name) == name


def test_a_file_is_attached_handed_out_and_withdrawn_with_its_bytes(registry: Registry, ledger: Ledger) -> None:
    one = system(registry)

    attached = registry.attach(one.id, "../合同.png", [PNG[:5], PNG[5:]], stated_type="text/html; x", by=ANNA)
    twin = registry.attach(one.id, "b.png", [PNG], by=ANNA)

    assert (attached.name, attached.size, attached.media_type) == ("合同.png", len(PNG), "image/png")
    assert attached.is_misstated and not twin.is_misstated
    assert registry.download(attached.id) == (attached, PNG)
    first = registry.withdraw_attachment(attached.id, "附错了", by=ANNA)
    assert (first.is_erased, first.held_by) == (False, twin.id)  # the very same bytes are still needed
    assert registry.withdraw_attachment(twin.id, "也不要了", by=ANNA).is_erased
    for gone in (attached, twin):
        with pytest.raises(NotFound):
            registry.download(gone.id)
    with pytest.raises(Conflict):
        registry.withdraw_attachment(twin.id, "再撤", by=ANNA)
    assert [each.name for each in registry.attachments(one.id).items] == ["", ""]
    assert not registry._tools.blobs.has(twin.digest)
    assert registry.attach(one.id, "again.png", [PNG], by=ANNA).digest == twin.digest
    bodies = b"".join(entry.body for entry in ledger.entries(limit=100))
    assert "合同".encode() not in bodies and twin.digest.encode() in bodies


def test_a_file_that_is_empty_too_large_or_about_nothing_leaves_nothing_behind(registry: Registry) -> None:
    one = system(registry)

    for subject, content, problem in (
        (one.id, b"", Invalid),
        (one.id, bytes(1_000_001), Invalid),
        ("sys_nobody", PNG, NotFound),
        ("usr_anna", PNG, NotFound),
    ):
        with pytest.raises(problem):
            registry.attach(subject, "x", [content], by=ANNA)

    assert registry.attachments(one.id).total == 0
    assert not [path for path in registry._tools.blobs._root.rglob("*") if path.is_file()]


UPLOADS = [
    ("../../x.png", HTML),
    ("a\\b\0c.txt", b"\0\1"),
    ("名\u202e字.pdf", b"%PDF-1.4"),
    ('q";x=y.bin', b"\r\n--b--"),
]


def test_uploads_with_strange_names_and_bytes_come_back_as_downloads_byte_for_byte(
    client: TestClient, registry: Registry
) -> None:
    one = system(registry)

    for name, content in UPLOADS:
        made = client.post(
            "/api/registry/attachments", data={"subject_id": one.id}, files={"file": (name, content, "image/png")}
        )
        assert made.status_code == 201, made.text
        for address in (
            f"/api/registry/attachments/{made.json()['id']}/content",
            f"/zh/registry/files/{made.json()['id']}",
        ):
            answer = client.get(address)
            assert answer.content == content
            assert answer.headers["content-disposition"].startswith("attachment; filename=")
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "sandbox" in answer.headers["content-security-policy"]
            assert not answer.headers["content-type"].startswith(("text/html", "image/"))
    empty = client.post(f"/zh/registry/notes/{one.id}/files", files={"file": ("x.txt", b"", "text/plain")})
    none = client.post(f"/zh/registry/notes/{one.id}/files", files={"other": ("x.txt", b"x", "text/plain")})
    large = client.post(f"/en/registry/notes/{one.id}/files", files={"file": ("x", bytes(1_000_001), "text/plain")})
    assert [each.status_code for each in (empty, none, large)] == [422, 422, 422]
    assert "文件是空的" in empty.text and "larger than the 1000000 bytes" in large.text
    assert "与所称的 image/png 不符" in client.get(f"/zh/registry/systems/{one.id}/notes").text


def test_files_are_not_for_the_public(registry: Registry) -> None:
    made = registry.attach(system(registry).id, "x.png", [PNG], by=ANNA)

    with TestClient(build_app(registry, may=lambda action: action == "portal.read")) as stranger:
        for address in (f"/api/registry/attachments/{made.id}/content", f"/zh/registry/files/{made.id}"):
            assert stranger.get(address).status_code == 403


# --- comments ----------------------------------------------------------------------------------------------------


def test_a_comment_is_changed_by_its_author_and_deleted_without_a_trace_of_its_words(
    registry: Registry, ledger: Ledger
) -> None:
    one = system(registry)
    said = registry.comment(Say(subject_id=one.id, text="王敏说应当复核"), by=ANNA)

    edited = registry.edit_comment(said.id, "应当复核", by=ANNA)
    with pytest.raises(Refused):
        registry.edit_comment(said.id, "别人的话", by=OWNER)
    with pytest.raises(Refused):
        registry.delete_comment(said.id, by=replace(ANNA, id="usr_ben"))
    gone = registry.delete_comment(said.id, by=OWNER)  # an administrator may

    assert edited.edited_at is not None and (gone.text, gone.deleted_at is not None) == ("", True)
    assert registry.comments(one.id).items == (gone,)
    for late in (
        lambda: registry.edit_comment(said.id, "x", by=ANNA),
        lambda: registry.delete_comment(said.id, by=ANNA),
    ):
        with pytest.raises(Conflict):
            late()
    bodies = b"".join(entry.body for entry in ledger.entries(limit=100))
    assert "复核".encode() not in bodies and b"comment_deleted" in bodies


def test_a_comment_can_be_about_a_part_or_a_party_and_needs_words(registry: Registry) -> None:
    party = registry.register_party(RegisterParty(name="明理"), by=OWNER)
    part = registry.register_thing(RegisterThing(kind=ThingKind.MODEL, name_zh="模型"), by=OWNER)

    for subject in (party.id, part.id):
        registry.comment(Say(subject_id=subject, text="<b>好</b>"), by=ANNA)
        assert registry.comments(subject).total == 1
    for text in (" ", "x" * 4001, "a\0b"):
        with pytest.raises(Invalid):
            registry.comment(Say(subject_id=part.id, text=text), by=ANNA)


# --- tasks -------------------------------------------------------------------------------------------------------


def test_tasks_come_by_their_last_day_and_done_is_taken_back(registry: Registry, ledger: Ledger) -> None:
    one = system(registry)
    late, never, soon = (
        registry.assign_task(Assign(subject_id=one.id, title=title, assignee="usr_anna", due=due), by=OWNER)
        for title, due in (("补报告", date(2026, 11, 20)), ("随时", None), ("复核", date(2026, 11, 21)))
    )

    assert [each.id for each in registry.tasks(assignee="usr_anna").items] == [late.id, soon.id, never.id]
    assert registry.tasks(is_overdue=True).items == (late,)  # its last day is today: not overdue
    done = registry.finish_task(late.id, by=ANNA)
    assert done.done_by == "usr_anna" and registry.tasks(is_overdue=True).total == 0
    assert registry.tasks(subject_id=one.id).items[-1].id == late.id
    with pytest.raises(Conflict):
        registry.finish_task(late.id, by=ANNA)
    assert registry.reopen_task(late.id, by=ANNA) == late
    moved = registry.change_task(late.id, ChangeTask(has_due=True, person="王敏", assignee=""), by=ANNA)
    assert (moved.due, moved.person, moved.title) == (None, "王敏", "补报告")
    with pytest.raises(Conflict):
        registry.change_task(late.id, ChangeTask(), by=ANNA)
    with pytest.raises(Invalid):
        registry.assign_task(Assign(subject_id=one.id, title="x", assignee="usr_a", person="王敏"), by=ANNA)
    bodies = b"".join(entry.body for entry in ledger.entries(limit=100))
    assert "补报告".encode() not in bodies and "王敏".encode() not in bodies and b"task_reopened" in bodies
