"""A backup is of one moment, whole or not there at all, its owner's alone, and says what is in it."""

import json
import shutil
import stat
import tarfile
import threading
from pathlib import Path

import pyrage
import pytest
from tests.run.keeping.conftest import Kept
from tests.run.keeping.furnished import emptied, files_of, house_at, register, typed
from tests.run.keeping.repacked import repack
from tests.run.keeping.test_restore import forged, hush, restored

from safebelt.app import House
from safebelt.engines.archive_age import Keys, Lock
from safebelt.engines.signing import KeyStore
from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Problem, Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.ledger.model import PersonalErased
from safebelt.run.keeping.backup import back_up, named_settings
from safebelt.run.keeping.folders import travelling
from safebelt.run.keeping.telling import Progress
from safebelt.settings import Settings


@pytest.fixture
def small(tmp_path: Path) -> House:
    """A house with hardly anything in it."""
    house = house_at(tmp_path / "small")
    register(house)
    return house


# --- one moment --------------------------------------------------------------------------------------------------


class _Busy:
    """Threads that append, extend and now and then rotate the key, until the block ends."""

    def __init__(self, home: Path, database: str) -> None:
        self.houses = [house_at(home, database) for _ in range(3)]
        self.acknowledged: list[str] = []
        self.going, self._ending = threading.Event(), threading.Event()
        works = [self._append, self._append, self._extend]
        self._threads = [
            threading.Thread(target=work, args=(house,)) for work, house in zip(works, self.houses, strict=True)
        ]

    def __enter__(self) -> "_Busy":
        for thread in self._threads:
            thread.start()
        assert self.going.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread, house in zip(self._threads, self.houses, strict=True):
            thread.join()
            house.close()

    def _append(self, house: House) -> None:
        while not self._ending.is_set():
            with house.sql.begin() as tx:
                event = PersonalErased(subject="busy", reason="to be busy", personal={"name": "kim"})
                entry = house.ledger.append(tx, event, by=OWNER)
            self.acknowledged.append(entry)
            if len(self.acknowledged) > 20:
                self.going.set()

    def _extend(self, house: House) -> None:
        turns = 0
        while not self._ending.is_set():
            house.ledger.advance()
            if (turns := turns + 1) % 5 == 0:
                house.ledger.rotate_key(reason="busy", by=OWNER)


@pytest.mark.parametrize("engine", [pytest.param("sqlite", marks=pytest.mark.soak), "postgres"])
def test_while_the_house_works_on_each_backup_is_of_one_moment_and_holds_what_was_acknowledged_before(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    database = emptied(request.getfixturevalue("postgres_url")) if engine == "postgres" else ""
    house = house_at(tmp_path / "home", database)
    register(house)
    before = list[list[str]]()
    with _Busy(tmp_path / "home", database) as busy:
        for number in range(2):
            before.append(list(busy.acknowledged))
            back_up(house, tmp_path / f"{number}.sbk", Lock(), hush)
    house.close()

    for number, acknowledged in enumerate(before):
        done = restored(tmp_path / f"{number}.sbk", tmp_path / f"home-{number}")
        with_it = house_at(tmp_path / f"home-{number}")
        there = {id_ for _, id_, _, _ in with_it.ledger.sequenced(-1, 100_000)}
        with_it.close()
        assert done.seen.holds is Truth.TRUE, (done.seen.problems, done.seen.log)
        assert set(acknowledged) - there == set()


# --- whole or not there, and nobody else's -----------------------------------------------------------------------


def test_no_backup_replaces_another_and_none_is_written_twice_at_once(small: House, tmp_path: Path) -> None:
    (tmp_path / "old.sbk").write_text("the only backup")

    with pytest.raises(Conflict, match="already"):
        back_up(small, tmp_path / "old.sbk", Lock(), hush)
    assert (tmp_path / "old.sbk").read_text() == "the only backup"
    small.close()


def test_what_a_killed_backup_left_is_taken_over(small: House, tmp_path: Path) -> None:
    (tmp_path / "new.sbk.part").write_bytes(b"half of a backup" * 100_000)
    (tmp_path / "new.sbk.part").chmod(0o644)

    back_up(small, tmp_path / "new.sbk", Lock(), hush)
    small.close()

    assert stat.S_IMODE((tmp_path / "new.sbk").stat().st_mode) == 0o600
    assert not (tmp_path / "new.sbk.part").exists()
    assert restored(tmp_path / "new.sbk", tmp_path / "other").seen.holds is Truth.TRUE


def test_where_it_cannot_be_written_nothing_is_left_and_the_disk_is_named(small: House, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="nowhere"):
        back_up(small, tmp_path / "nowhere" / "a.sbk", Lock(), hush)
    with pytest.raises(Invalid):
        back_up(small, tmp_path / "a.sbk", Lock(recipients=("age1nobody",)), hush)
    small.close()

    assert {path.name for path in tmp_path.iterdir()} == {"small"}


def test_where_no_house_is_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        back_up(house_at(tmp_path / "nobody"), tmp_path / "a.sbk", Lock(), hush)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.soak
def test_a_damaged_log_is_backed_up_all_the_same_and_said(kept: Kept, tmp_path: Path) -> None:
    restored(kept.file, tmp_path / "home")
    house = house_at(tmp_path / "home")
    with house.sql.begin() as tx:
        tx.exec_driver_sql("""update ledger_entry set body = x'7b7d' where "index" = 3""")
        house.ledger.append(tx, PersonalErased(subject="waits", reason="test"), by=OWNER)
    for folder in ("ledger", "ledger-tree"):
        shutil.rmtree(tmp_path / "home" / folder)

    with pytest.raises(Problem):
        house_at(tmp_path / "home").ledger.advance()
    done = back_up(house, tmp_path / "damaged.sbk", Lock(), hush)
    house.close()

    assert done.manifest["trouble"]
    assert restored(tmp_path / "damaged.sbk", tmp_path / "other").seen.holds is Truth.FALSE


# --- encrypted ---------------------------------------------------------------------------------------------------


def test_a_sealed_backup_shows_nothing_and_opens_with_its_key_alone(small: House, tmp_path: Path) -> None:
    identity = pyrage.x25519.Identity.generate()
    done = back_up(small, tmp_path / "sealed.sbk", Lock(recipients=(str(identity.to_public()),)), hush)
    key = (tmp_path / "small" / "keys" / "ledger.key").read_text()
    small.close()

    assert done.is_sealed
    assert pyrage.decrypt((tmp_path / "sealed.sbk").read_bytes(), [identity])[:2] == b"\x1f\x8b"
    for keys in (Keys(), Keys(identities=(str(pyrage.x25519.Identity.generate()),)), Keys(passphrase="a")):
        with pytest.raises(Invalid):
            restored(tmp_path / "sealed.sbk", tmp_path / "home", keys=keys)
    assert not (tmp_path / "home").exists()
    restored(tmp_path / "sealed.sbk", tmp_path / "home", keys=Keys(identities=(str(identity),)))
    assert (tmp_path / "home" / "keys" / "ledger.key").read_text() == key


# --- what is in it -----------------------------------------------------------------------------------------------


def test_it_says_what_it_holds_and_what_not_and_copies_no_secret(kept: Kept, tmp_path: Path) -> None:
    with tarfile.open(kept.file) as tar:
        names = tar.getnames()
        manifest = json.loads(tar.extractfile("manifest.json").read())  # type: ignore[union-attr]

    assert names[0] == "backup.json"
    assert names[-2:] == ["SHA256SUMS", "manifest.json"]
    assert manifest["tables"]["ledger_entry"] == len(kept.receipts)
    assert "access_session" not in manifest["tables"]
    assert {what for left in manifest["left_out"] for what in left["what"]} >= {"ledger", "access_session", "log"}
    assert manifest["settings"]["log_origin"] == "example.org/log"
    assert not [name for name in names if name.startswith(("home/ledger/", "home/ledger-tree/", "home/safebelt.db"))]


def test_secrets_among_the_settings_are_named_and_not_copied() -> None:
    settings = Settings(
        upstream_key="hunter2",
        admin_password="hunter3",
        database_url="postgresql+psycopg://kim:hunter4@db/x",
        bus="nats://a:hunter5@n",
    )

    said = named_settings(settings)

    assert {"upstream_key", "admin_password", "database_url", "bus"} <= said.keys()
    assert "hunter" not in json.dumps(said)
    assert said["database_url"] == "postgresql+psycopg://…@db/x"


def test_earlier_versions_are_copied_as_they_are_set_their_keys_only_named_and_what_is_empty_not_at_all() -> None:
    versions = {"v1": {"upstream": "https://kim:hunter2@old.example/v1", "systems": ["sys_1"]}, "v2": {"model": "m"}}
    settings = Settings.model_validate({"earlier_versions": versions, "earlier_keys": {"v1": "hunter3"}})

    said = named_settings(settings)

    assert json.loads(said["earlier_versions"]) == versions | {
        "v1": {"upstream": "https://…@old.example/v1", "systems": ["sys_1"]}
    }
    assert said["earlier_keys"] == "…" and "hunter" not in json.dumps(said)
    assert not {"earlier_versions", "earlier_keys", "mcp_servers"} & named_settings(Settings()).keys()


@pytest.mark.soak
def test_keys_outside_the_house_come_along(tmp_path: Path) -> None:
    house = house_at(tmp_path / "home", signing_key=tmp_path / "vault" / "log.key")
    register(house)
    house.ledger.advance()
    house.ledger.rotate_key(reason="again", by=OWNER)
    back_up(house, tmp_path / "a.sbk", Lock(), hush)
    house.close()

    assert restored(tmp_path / "a.sbk", tmp_path / "other").seen.holds is Truth.TRUE
    keys = KeyStore(tmp_path / "other" / "keys" / "ledger.key", name="example.org/log", chance=house.chance)
    assert keys.verifiers() == house.ledger.verifier_keys()


def test_files_nobody_foresaw_travel_and_drafts_links_in_circles_and_older_backups_do_not(tmp_path: Path) -> None:
    for name in ("notes/mine.txt", "backups/old.sbk", ".draft", "blobs/ab/.new-1", "log/belt.log", "belt/pulse"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "notes" / "up").symlink_to(tmp_path)
    (tmp_path / "elsewhere").symlink_to(tmp_path / "notes" / "mine.txt")

    assert [name for name, _ in travelling(tmp_path, is_obeyed=False)] == ["elsewhere", "notes/mine.txt"]


def test_signed_heads_are_read_before_the_segments_they_speak_of(kept: Kept) -> None:
    names = [name for name, _ in travelling(kept.home, is_obeyed=False)]

    assert names.index("belt/records/heads.log") < names.index("belt/records/seg-00000001.log")
    assert len(names) == len(set(names)) == len(files_of(kept.home))


def test_progress_is_said_now_and_then() -> None:
    said, seconds = list[Text](), [0.0]
    progress = Progress(said.append, now=lambda: seconds[0])

    for name, seconds[0] in (("a", 1.0), ("b", 6.0), ("c", 7.0)):
        progress(name, rows=5)

    assert [text.en for text in said] == ["10 rows, 0 files … b"]


# --- the shell ---------------------------------------------------------------------------------------------------


def test_the_shell_backs_up_checks_and_restores(kept: Kept, tmp_path: Path) -> None:
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "id.txt").write_text(f"# created today\n{identity}\n")
    (tmp_path / "to.txt").write_text(f"# for the safe\n{identity.to_public()}\n")
    file, opens = str(tmp_path / "house.sbk"), ["--identity", str(tmp_path / "id.txt")]
    old = Settings(home=kept.home, log_origin="example.org/log")
    new = Settings(home=tmp_path / "home", log_origin="other.org/log")

    backed_up, told = typed(["backup", file, "--to", str(tmp_path / "to.txt"), "--format", "json"], old)
    checked, found = typed(["restore", file, "--check", *opens, "--format", "json"], old)
    done, said = typed(["restore", file, *opens], new)

    assert (backed_up, checked, done) == (0, 0, 0)
    assert json.loads(told)["is_encrypted"]
    assert json.loads(found)["checkpoint"] == json.loads(told)["checkpoint"]
    assert json.loads(found)["verdict"] == "holds"
    assert "SAFEBELT_LOG_ORIGIN=example.org/log" in said
    assert "witness.key.before-restore" in said
    assert typed(["restore", file, "--home", str(tmp_path / "third")], new)[0] == 2
    assert typed(["restore", file, "--check", "--database", "sqlite:///x.db"], new)[0] == 2


def test_what_is_not_encrypted_is_said_plainly_and_a_broken_log_is_an_exit_code(kept: Kept, tmp_path: Path) -> None:
    settings = Settings(home=kept.home, log_origin="example.org/log")
    changed = repack(kept.file, tmp_path / "forged.sbk", forged)

    code, said = typed(["backup", str(tmp_path / "plain.sbk")], settings)

    assert code == 0
    assert "NOT encrypted" in said
    assert typed(["restore", str(changed), "--check"], settings)[0] == 1


def test_a_passphrase_is_read_from_a_file_and_an_empty_one_is_refused(kept: Kept, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")

    code, said = typed(["backup", str(tmp_path / "a.sbk"), "--passphrase-file", str(tmp_path / "empty")], Settings())

    assert (code, "no passphrase" in said) == (2, True)
