"""What systems are looked up by beside their words: classes, red lines, sources; and the entries an index lacks."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.rooms.registry.test_changes import described
from tests.rooms.registry.test_search import found, register

from safebelt.kernel.actors import OWNER
from safebelt.rooms.registry import store
from safebelt.rooms.registry.model.imports import File, Wish

ROOT = Path(__file__).parents[3]


def test_facts_put_on_record_are_what_a_system_is_looked_up_by_from_then_on(registry, clock) -> None:
    (system_id, other) = register(registry, 2, clock)
    source = (ROOT / "law" / "systems" / "eu-clearview.yaml").read_text()

    registry.describe(system_id, source, by=OWNER)
    entered = registry.register_described(source, provider_id=registry.system(other).provider_id, by=OWNER)

    assert found(registry, red_line=True) == [entered.id, system_id]
    assert found(registry, classes=("eu/ai-act=prohibited",)) == [entered.id, system_id]
    harmless = "safebelt: system/1\nid: x\nname: {zh: 甲, en: A}\nfacts: {system.is_ai: false}"
    registry.describe(system_id, harmless, by=OWNER)
    assert found(registry, red_line=True) == found(registry, classes=("eu/ai-act",)) == [entered.id]


def test_an_import_says_of_its_systems_where_they_come_from_and_what_they_were_judged(registry, sql) -> None:
    file = ROOT / "law" / "systems" / "eu-clearview.yaml"
    harmless = b"safebelt: system/1\nid: x\nname: {zh: \xe7\x94\xb2, en: A}\nfacts: {system.is_ai: false}"
    wish = Wish(provider="A company")
    batch = registry.import_files(
        [File(name=file.name, content=file.read_bytes()), File(name="x.yaml", content=harmless)], wish, by=OWNER
    )
    barred, fine = (one.system_id for one in registry.import_items(batch.id).items)

    assert set(found(registry, source="system")) == {barred, fine}
    assert found(registry, red_line=True) == found(registry, classes=("eu/ai-act",)) == [barred]

    registry.undo_import(batch.id, reason="Wrong file", by=OWNER)
    assert found(registry, source="system") == found(registry, red_line=True) == []


def test_systems_of_an_older_version_are_entered_once_and_nothing_is_read_after(
    registry, sql, clock, monkeypatch
) -> None:
    ids = register(registry, 3, clock)
    with sql.begin() as tx:
        tx.execute(sa.delete(store.search.entry).where(store.search.entry.c.system_id != ids[1]))
    assert found(registry, "recruitment") == [ids[1]]

    assert [registry.index_missing(2), registry.keep_index(), registry.index_missing()] == [2, 0, 0]

    assert set(found(registry, "recruitment")) == set(ids)
    monkeypatch.setattr(store.search, "missing", lambda *_: pytest.fail("looked again"))
    assert registry.index_missing() == 0


def test_a_red_line_that_begins_is_what_an_idea_is_looked_up_by_from_that_day_and_nobody_else(
    registry, sql, ledger, clock
) -> None:
    (other,) = register(registry, 1, clock)
    provider = registry.system(other).provider_id
    source = (ROOT / "law" / "systems" / "us-midjourney.yaml").read_text()
    marked = described("us-midjourney", use__military="also")
    meets = registry.register_described(marked, provider_id=provider, by=OWNER)
    fine = registry.register_described(source, provider_id=provider, by=OWNER)
    assert registry.keep_labels().counts["relabelled"] == 0
    assert found(registry, red_line=True) == []

    clock.move(days=10)
    entries = ledger.count()
    swept = registry.keep_labels()

    assert found(registry, red_line=True) == [meets.id]
    assert swept.is_done and swept.counts["relabelled"] == 1
    assert registry.system(meets.id).status is registry.system(fine.id).status
    assert (ledger.count(), registry.keep_labels()) == (entries, swept)


def test_a_day_on_which_no_class_and_no_red_line_turns_reads_no_system(registry, clock, monkeypatch) -> None:
    clock.move(days=20)
    registry.keep_labels()
    monkeypatch.setattr(store.search, "judged_labels", lambda *_: pytest.fail("looked"))

    clock.move(days=1)

    assert registry.keep_labels().is_done
