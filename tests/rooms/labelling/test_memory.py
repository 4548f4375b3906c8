"""What was marked is found again by the file alone, on both databases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.conftest import database_url  # noqa: F401  both databases, where the rest of the room asks one

from safebelt.rooms.labelling import store
from safebelt.rooms.labelling.model.events import Remembered

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def remembered(number: int, sha256: str, at: datetime = AT) -> Remembered:
    return Remembered(id=f"mrk_{number}", system_id="sys_1", sha256=sha256, at=at, entry_id=f"ent_{number}")


def test_the_first_mark_on_a_file_is_found_by_its_digest(sql) -> None:
    with sql.begin() as tx:
        store.insert(tx, remembered(2, "a" * 64, AT + timedelta(days=1)))
        store.insert(tx, remembered(1, "a" * 64))
        store.insert(tx, remembered(3, "b" * 64))

    assert store.by_digest(sql, "a" * 64) == (AT, "ent_1")
    assert store.by_digest(sql, "c" * 64) is None


def test_the_mark_of_a_watermark_is_found_by_its_id(sql) -> None:
    with sql.begin() as tx:
        store.insert(tx, replace(remembered(4, "d" * 64), ident=(1 << 63) - 1))

    with sql.read() as tx:
        assert store.by_ident(tx, (1 << 63) - 1).id == "mrk_4"
        assert store.by_ident(tx, 5) is None


@pytest.mark.parametrize("odd", ["", "A" * 64, "'; --"])
def test_what_is_no_digest_finds_nothing(sql, odd) -> None:
    assert store.by_digest(sql, odd) is None
