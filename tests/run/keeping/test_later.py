"""A later copy of the public log tells a restored house what it has forgotten, and what has to be taken back again."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.architecture.house import events
from tests.run.keeping.conftest import Kept
from tests.run.keeping.furnished import EARLIER, house_at, typed
from tests.run.keeping.test_restore import hush

from safebelt.engines.archive_age import Keys
from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid
from safebelt.rooms.belt.model import Command, OrderTerms
from safebelt.run.keeping.later import TAKEN_BACK
from safebelt.run.keeping.restore import Restored, Target, restore
from safebelt.settings import Settings


@dataclass(frozen=True)
class Later:
    """The public log of a house some acts after its backup: whose personal data were erased, and what was ordered."""

    log: Path
    erased: str
    token: str


@pytest.fixture(scope="module")
def later(kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> Later:
    home = tmp_path_factory.mktemp("later") / "home"
    shutil.copytree(kept.home, home)
    house = house_at(home, earlier_versions=EARLIER)
    erased = next(entry for entry in house.ledger.entries(limit=200) if entry.personal).id
    house.ledger.erase(erased, reason="asked for after the backup", by=OWNER)
    token = house.access.tokens()[0].id
    house.access.revoke_token(token, by=OWNER)
    house.belt.order(Command.CUT, "model:cut", "after the backup", OWNER)
    house.belt.ask(house.belt.to_stop(Command.PAUSE, "model:held", house.belt.hold()), "after the backup", OWNER)
    house.belt.limit("model:limited", OrderTerms(per_minute=5), "after the backup", OWNER)
    house.belt.roll_back("model:back", "v1", "after the backup", OWNER)
    house.access.add_user("new", ["operator"], password="another long password", by=OWNER)
    house.ledger.advance()
    house.close()
    return Later(log=home / "ledger", erased=erased, token=token)


def restored(kept: Kept, home: Path, log: Path, **allowed: bool) -> Restored:
    target = Target(home=home, later=log, **allowed)
    return restore(Settings(home=home, log_origin="example.org/log"), kept.file, Keys(), target, hush)


def test_what_was_taken_back_since_is_named_and_nothing_else(kept: Kept, later: Later, tmp_path: Path) -> None:
    done = restored(kept, tmp_path / "home", later.log)

    assert done.forgotten is not None
    assert done.forgotten.entries == 7
    assert {(one.kind, one.subject) for one in done.forgotten.taken_back} == {
        ("ledger.personal_erased.v1", later.erased),
        ("access.token_revoked.v1", later.token),
        ("belt.stop_ordered.v1", "model:cut"),
        ("belt.hold_ordered.v1", "model:held"),
        ("belt.limit_ordered.v1", "model:limited"),
        ("belt.version_ordered.v1", "model:back"),
    }
    house = house_at(tmp_path / "home")
    assert house.ledger.entry(later.erased).personal, "named, and not done unasked"
    house.close()


@pytest.mark.soak
def test_personal_data_erased_since_are_erased_again_where_asked(kept: Kept, later: Later, tmp_path: Path) -> None:
    done = restored(kept, tmp_path / "home", later.log, is_erased_again=True)

    assert done.forgotten is not None
    assert done.forgotten.erased_again == (later.erased,)
    house = house_at(tmp_path / "home")
    assert house.ledger.entry(later.erased).is_erased
    assert house.ledger.verify().holds is Truth.TRUE
    house.close()


def test_a_check_only_names_and_the_shell_says_what_has_to_be_done(kept: Kept, later: Later, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", log_origin="example.org/log")

    code, said = typed(["restore", str(kept.file), "--check", "--later", str(later.log), "--erase-again"], settings)
    done, told = typed(["restore", str(kept.file), "--later", str(later.log), "--erase-again"], settings)

    assert (code, done) == (0, 0)
    assert "forgotten 7 of them, 6 of which" in said
    assert "erased again" not in said
    assert f"{later.erased}  erased again" in told


@pytest.mark.soak
def test_a_log_that_is_none_is_damaged_is_shorter_or_of_another_house_is_refused(
    kept: Kept, later: Later, tmp_path: Path
) -> None:
    damaged, other = tmp_path / "damaged", tmp_path / "other"
    shutil.copytree(later.log, damaged)
    bundle = next(path for path in (damaged / "tile" / "entries").rglob("*") if path.is_file())
    for path in bundle.parent.iterdir():
        path.write_bytes(path.read_bytes().replace(b"OWNER", b"OWNED").replace(b"ent_", b"enT_"))
    house = house_at(other)
    for name in ("a", "b"):
        house.access.add_user(name, ["operator"], password="another long password", by=OWNER)
    house.ledger.advance()
    house.close()

    for log in (tmp_path / "nothing", damaged, other / "ledger"):
        with pytest.raises(Invalid, match="later copy"):
            restored(kept, tmp_path / "home", log)
    assert not (tmp_path / "home").exists()


def test_what_counts_as_taken_back_are_events_that_exist() -> None:
    assert {event.kind for event in events()} >= TAKEN_BACK
