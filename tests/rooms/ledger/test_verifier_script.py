"""The stranger's Python file: it says yes where the house does and nowhere else, alone, on any Python since 3.8."""

import ast
import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.rooms.ledger import verifier_cases as cases
from tests.rooms.ledger.ed25519_cases import BORDERLINE, Signed, edge_cases, house_says, vectors
from tests.rooms.ledger.verifier_cases import BAD, NO, YES, Asked, ask_house, ask_script

from safebelt.engines.signing import Signer
from safebelt.kernel import merkle
from safebelt.rooms.ledger.verifier import SCRIPT, tools

script = cases.load_script()
SOURCE = tools()[SCRIPT].body.decode()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> list[Asked]:
    desk = cases.real_desk(tmp_path_factory.mktemp("receipts"))
    found = cases.real_questions(desk)
    desk.sql.close()
    return found


# --- with the house ----------------------------------------------------------------------------------------------


def test_real_receipts_are_included_and_additions_that_sign_nothing_else_change_nothing(good: list[Asked]) -> None:
    asked = [*good, *(each for one in good for each in cases.harmless(one))]

    assert {each.what: ask_script(script, each) for each in asked if ask_script(script, each) != YES} == {}
    assert {each.what for each in asked if ask_house(each) != YES} == set()


def test_nothing_changed_is_included_and_the_house_says_the_same_of_each(good: list[Asked]) -> None:
    chance = random.Random(cases.SEED + 1)  # the browser's test asks about all of them, with another seed
    some = [one for one in good if one.what in {"entry 31", "record", "1 to 3"}]
    asked = [each for one in some for each in cases.mutations(one, chance)]

    said = {each.what: (ask_script(script, each), ask_house(each)) for each in asked}

    assert len(asked) > 500
    assert {what: both for what, both in said.items() if both[0] != both[1] or YES in both} == {}
    assert {both[0] for both in said.values()} == {NO, BAD}


@pytest.mark.parametrize("careless", ["has_signed", "is_included"])
def test_a_judge_that_skips_a_step_would_be_noticed(good: list[Asked], careless: str) -> None:
    chance, lenient = random.Random(cases.SEED), cases.load_script()
    setattr(lenient, careless, lambda *_: True)

    said = {ask_script(lenient, each) for one in good[:1] + good[3:4] for each in cases.mutations(one, chance)}

    assert YES in said


def test_what_a_log_signs_oddly_is_judged_as_the_house_does() -> None:
    said = {each.what: (ask_script(script, each), ask_house(each)) for each in cases.odd_questions()}

    assert {what: both for what, both in said.items() if both[0] != both[1]} == {}
    assert {both[0] for both in said.values()} == {YES, NO}


def test_what_the_ledger_never_writes_is_refused_by_the_stricter_tool() -> None:
    said = [(ask_script(script, each), ask_house(each)) for each in cases.stricter_questions()]

    assert {both[0] for both in said} == {NO}


# --- trees -------------------------------------------------------------------------------------------------------


def test_every_inclusion_and_every_prefix_up_to_70_leaves_is_seen_and_no_other() -> None:
    leaves = [merkle.leaf_hash(bytes([number])) for number in range(70)]
    roots = [merkle.root(leaves[:size]) for size in range(71)]
    for size in range(1, 71):
        reader = merkle.node_reader(leaves[:size])
        for index in range(size):
            path = merkle.inclusion_path(index, size, reader)
            assert script.is_included(index, size, leaves[index], path, roots[size])
            assert not script.is_included(index, size, leaves[index], path, roots[size - 1])
            assert size == 1 or not script.is_included(index ^ 1, size, leaves[index], path, roots[size])
            assert not path or not script.is_included(index, size, leaves[index], path[:-1], roots[size])
            assert not script.is_included(index, size, leaves[index], [*path, leaves[0]], roots[size])
        for old in range(1, size + 1):
            path = merkle.consistency_path(old, size, reader)
            assert script.is_prefix(old, size, path, roots[old], roots[size])
            assert not script.is_prefix(old, size, path, roots[old - 1], roots[size])
            assert old == size or not script.is_prefix(old, size, path[:-1], roots[old], roots[size])
            assert not script.is_prefix(old, size, [*path, leaves[0]], roots[old], roots[size])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (5, 5), (6, 5), (2**64, 5)])
def test_a_place_outside_a_tree_is_in_no_tree(index: int, size: int) -> None:
    assert not script.is_included(index, size, bytes(32), [], bytes(32))


def test_nothing_is_consistent_with_an_empty_tree_or_a_larger_one() -> None:
    one = merkle.leaf_hash(b"1")

    assert script.is_prefix(1, 1, [], one, one)
    assert not script.is_prefix(0, 1, [], merkle.EMPTY_ROOT, one)
    assert not script.is_prefix(2, 1, [], one, one)
    assert not script.is_prefix(1, 1, [], one, bytes(32))


# --- signatures --------------------------------------------------------------------------------------------------


def holds(case: Signed) -> bool:
    return bool(script.has_signed(case.public, case.signature, case.message))


@pytest.mark.parametrize("case", [*vectors()], ids=lambda case: case.what)
def test_published_signatures_hold_and_with_one_bit_changed_they_do_not(case: Signed) -> None:
    assert holds(case)
    assert house_says(case)
    assert not script.has_signed(case.public, case.signature, case.message + b"\0")
    for at in (0, 31, 32, 63):
        changed = bytearray(case.signature)
        changed[at] ^= 1
        assert not script.has_signed(case.public, bytes(changed), case.message)


def test_it_is_never_more_lenient_than_the_houses_library_and_stricter_only_about_points_of_small_order() -> None:
    said = {case.what: (holds(case), house_says(case)) for case in edge_cases()}

    assert len(said) > 100
    assert {what for what, (ours, theirs) in said.items() if ours and not theirs} == set()
    stricter = {what for what, (ours, theirs) in said.items() if theirs and not ours}
    assert stricter
    assert {what for what in stricter if not what.startswith("small key")} <= BORDERLINE
    assert said["speccheck 3"] == said["good"] == (True, True)


def test_signatures_of_many_keys_hold() -> None:
    for number in range(20):
        key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(bytes([number])).digest())
        public, message = key.public_key().public_bytes_raw(), bytes(number)
        assert script.has_signed(public, key.sign(message), message)
        assert not script.has_signed(public, key.sign(message), message + b"x")


# --- by itself, on the command line ------------------------------------------------------------------------------


def run(folder: Path, *words: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Start the file alone: no site packages, no environment, another folder."""
    path = folder / SCRIPT
    path.write_bytes(tools()[SCRIPT].body)
    command = [sys.executable, "-I", "-S", str(path), *words]
    return subprocess.run(command, cwd=folder, capture_output=True, input=given, timeout=60, check=False)


def test_a_stranger_gets_included_or_not_or_bad_use_with_what_was_proven(good: list[Asked], tmp_path: Path) -> None:
    one = good[3]
    (tmp_path / "ledger.pub").write_text(f"\n{one.key}\n")
    (tmp_path / "r.tlog-proof").write_bytes(one.data)
    (tmp_path / "bad").write_bytes(one.data.replace(b"index 32", b"index 33"))
    (tmp_path / "other").write_text("hello\n")

    included = run(tmp_path, "r.tlog-proof", "--key", "ledger.pub", "--lang", "en")
    not_included = run(tmp_path, "bad", "--key", one.key, "--lang", "zh")
    piped = run(tmp_path, "-", "--key", one.key, "--json", given=one.data)
    bad = [
        run(tmp_path, "other", "--key", one.key),
        run(tmp_path, "none", "--key", one.key),
        run(tmp_path, "other", "--key", "no key"),
        run(tmp_path, "r.tlog-proof"),
    ]

    said = included.stdout.decode()
    assert (included.returncode, not_included.returncode, piped.returncode) == (0, 1, 0)
    assert said.startswith("included:")
    assert all(f"  {name}: " in said for name in ("who", "when", "kind", "subject", "data", "index", "log"))
    assert "not that it is true, and it is no approval" in said
    assert said.count("[ok]") == 4
    assert not_included.stdout.decode().startswith("未载入")
    assert "[NO] 条目的字节经路径可算出已签署的根。" in not_included.stdout.decode()
    assert "请勿采信" in not_included.stdout.decode()
    found = json.loads(piped.stdout)
    assert (found["holds"], found["proven"]["index"]) == (True, 32)
    assert [each.returncode for each in bad] == [2, 2, 2, 2]
    assert all(each.stdout == b"" and each.stderr for each in bad)


def test_what_is_typed_by_others_cannot_steer_the_terminal(good: list[Asked], tmp_path: Path) -> None:
    told = b"".join(
        run(tmp_path, "-", "--key", one.key, given=one.data).stdout for one in good if one.asked == "receipt"
    )
    signer = Signer.of(cases.ORIGIN, b"k" * 32)
    odd = cases.written(cases.body(subject="\x1b[2J\x9b31m\u202e|x"), signer)
    shown = run(tmp_path, "-", "--key", str(signer.verifier), given=odd.encode())

    assert shown.returncode == 0
    assert r"\u{1b}[2J\u{9b}31m\u{202e}|x" in shown.stdout.decode()
    assert all(c.isprintable() or c == "\n" for c in (told + shown.stdout).decode())


def test_other_questions_are_asked_in_words_so_that_no_script_takes_a_checkpoint_for_a_receipt(
    good: list[Asked], tmp_path: Path
) -> None:
    receipt = next(one for one in good if one.asked == "receipt")
    grown = next(one for one in good if one.asked == "consistency")
    checkpoint = receipt.data.partition(b"\n\n")[2]

    def codes(data: bytes) -> list[int]:
        return [
            script.main([str(path), "--key", receipt.key, "--as", asked])
            for path in [tmp_path / "file"]
            if path.write_bytes(data)
            for asked in ("receipt", "consistency", "checkpoint")
        ]

    assert codes(receipt.data) == [0, 1, 1]
    assert codes(grown.data) == [2, 0, 1]
    assert codes(checkpoint) == [2, 1, 0]
    assert codes(checkpoint.replace(b"\n1\n", b"\n2\n").replace(b"\n70\n", b"\n71\n")) == [2, 1, 1]


# --- witnesses ---------------------------------------------------------------------------------------------------


def test_witnesses_are_heard_and_enough_of_them_must_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    signer = Signer.of(cases.ORIGIN, b"k" * 32)
    first, second, third = (cases.Witness(f"w{n}.example", bytes([n]) * 32) for n in (1, 2, 3))
    whole = cases.written(cases.body(), signer, size=7)
    text = whole.partition("\n\n")[2].partition("\n\n")[0] + "\n"
    lines = first.line(text, 1_790_000_000) + second.line(text, 1_790_000_001)
    wrong = third.line(text + "x\n", 1_790_000_002)

    def asked(data: str, *words: str) -> int:
        (tmp_path / "r").write_text(data)
        return int(script.main([str(tmp_path / "r"), "--key", str(signer.verifier), "--lang", "en", *words]))

    both = ["--witness", first.key, "--witness", second.key]
    assert asked(whole + lines, *both) == 0
    assert "witness w1.example: holds, UNIX time 1790000000" in capsys.readouterr().out
    assert asked(whole + lines, *both, "--witness", third.key, "--quorum", "2") == 0
    assert "witness w3.example: has not signed" in capsys.readouterr().out
    assert asked(whole + lines, *both, "--witness", third.key) == 1  # all, where nothing is said
    assert asked(whole + lines + wrong, *both, "--witness", third.key, "--quorum", "2") == 1
    assert "witness w3.example: does not hold" in capsys.readouterr().out
    assert asked(whole + lines + wrong, *both) == 0  # an unknown signature is passed over
    assert asked(whole, "--witness", first.key) == 1
    assert asked(whole + first.line(text, 2**63), "--witness", first.key) == 1
    assert asked(whole + lines, *both, "--quorum", "3") == 2
    assert asked(whole + lines, *both, "--quorum", "0") == 2
    assert asked(whole + lines, "--quorum", "1") == 2
    assert asked(whole + lines, "--witness", str(signer.verifier)) == 2
    twin = cases.Witness("twin.example", bytes([1]) * 32)
    assert asked(whole + lines, "--witness", first.key, "--witness", twin.key) == 2  # one voice under two names
    same = cases.Witness(cases.ORIGIN, b"k" * 32)
    assert asked(whole + same.line(text, 1), "--witness", same.key) == 2  # the log is no witness of itself


# --- as a file ---------------------------------------------------------------------------------------------------


def test_it_is_one_short_file_for_python_3_8_with_the_standard_library_alone() -> None:
    tree = ast.parse(SOURCE, feature_version=(3, 8))
    imported = {
        name.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (node.names if isinstance(node, ast.Import) else [ast.alias(node.module or "")])
    }

    assert len(SOURCE.splitlines()) <= 400
    assert imported <= sys.stdlib_module_names
    assert not imported & {"socket", "urllib", "http", "subprocess", "os", "ctypes", "importlib"}
    assert not [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"eval", "exec"}
    ]


def test_every_wording_is_there_in_both_languages() -> None:
    tree = ast.parse(SOURCE)
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    said = [each for each in texts if len(each) > 1 and "|" in each and each != ast.get_docstring(tree, clean=False)]

    assert len(said) > 30
    assert {each for each in said if any("\u4e00" <= c <= "\u9fff" for c in each.partition("|")[2])} == set()
