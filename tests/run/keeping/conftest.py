"""One furnished house and its backup for all: filling a house takes seconds."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.run.keeping.furnished import EARLIER, furnish, house_at, rows_of

from safebelt.app import House
from safebelt.engines.archive_age import Lock
from safebelt.run.keeping.backup import BackedUp, back_up


@dataclass(frozen=True)
class Kept:
    """A house, closed and as it was when the backup was made; its rows and receipts; its backup."""

    home: Path
    system: str
    rows: dict[str, str]
    receipts: dict[str, str]
    keys: tuple[str, ...]
    done: BackedUp

    @property
    def file(self) -> Path:
        return self.done.file


def receipts_of(house: House) -> dict[str, str]:
    return {entry.id: house.ledger.prove(entry.id) for entry in house.ledger.entries(limit=200)}


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    home = tmp_path_factory.mktemp("kept") / "home"
    house = house_at(home, earlier_versions=EARLIER)
    system = furnish(house)
    receipts = receipts_of(house)
    done = back_up(house, home.with_name("kept.sbk"), Lock(), lambda text: None)
    keys = tuple(str(key) for key in house.ledger.verifier_keys())
    found = Kept(home=home, system=system, rows=dict(rows_of(house)), receipts=receipts, keys=keys, done=done)
    house.close()
    return found
