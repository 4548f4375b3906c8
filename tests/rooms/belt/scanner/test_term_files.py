"""A word list beside a policy is part of it: every error has its line, and a changed file is another policy."""

from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safebelt.kernel.errors import Invalid
from safebelt.rooms.belt.decide.red_lines import changed_red_lines
from safebelt.rooms.belt.model import Policy, Side
from safebelt.rooms.belt.scanner import Scanner
from safebelt.rooms.belt.scanner import term_files as limits
from safebelt.rooms.belt.scanner.policies import load_policies, read_kept, read_source

POLICY = """\
policy: house/lists
version: {version}
title: {{zh: 词表, en: Lists}}
appeal: {{zh: 请联系我们。, en: Write to us.}}
rules:
  - id: words.list
    kind: keywords
    title: {{zh: 清单, en: A list}}
    sides: [input]
    action: refuse
    red_line: {red}
    {asks}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of policies with lists, inside another folder that is none of theirs."""
    made = tmp_path / "screening"
    (made / "lists").mkdir(parents=True)
    (made / "lists" / "words.txt").write_text("# whales\nwhite whale\n\n白鲸计划\n", "utf-8")
    (made / "lists" / "words.csv").write_text(
        'category,term\nsea,white whale\nland,"elk, brown"\nsea,白鲸计划\n', "utf-8"
    )
    (tmp_path / "secret.txt").write_text("outside\n")
    return made


def policy_text(asks: str = "terms_file: lists/words.txt", *, version: int = 1, red: bool = False) -> bytes:
    return POLICY.format(asks=asks, version=version, red=str(red).lower()).encode()


def read(folder: Path | None, asks: str = "terms_file: lists/words.txt", *, red: bool = False) -> Policy:
    return read_source(policy_text(asks, red=red), "house.yaml", folder).policy


def finds(policy: Policy, text: str) -> bool:
    return bool(Scanner(policy).scan(text, Side.INPUT))


def errors_of(folder: Path | None, asks: str) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        read(folder, asks)
    return {where.partition(". ")[2]: message for where, message in refused.value.details.items()}


def test_every_term_of_a_list_is_looked_for_and_nothing_else(folder: Path) -> None:
    policy = read(folder)

    (rule,) = policy.rules
    assert rule.terms == ("white whale", "白鲸计划")
    assert rule.terms_file is not None and rule.terms_file.terms == 2
    assert rule.terms_file.sha256 == sha256((folder / "lists" / "words.txt").read_bytes()).hexdigest()
    assert finds(policy, "the white whale") and finds(policy, "关于白鲸计划的文件") and finds(policy, "bai jing ji hua")
    assert not finds(policy, "# whales") and not finds(policy, "a brown elk")


def test_a_rule_takes_its_category_of_a_table_and_keeps_its_own_terms(folder: Path) -> None:
    sea = read(folder, "terms: [kraken]\n    terms_file: {file: lists/words.csv, category: sea}")
    everything = read(folder, "terms_file: lists/words.csv")

    assert sea.rules[0].terms == ("kraken", "white whale", "白鲸计划")
    assert sea.rules[0].terms_file is not None and sea.rules[0].terms_file.terms == 2
    assert everything.rules[0].terms == ("white whale", "elk, brown", "白鲸计划")
    assert not finds(sea, "elk, brown") and finds(everything, "elk, brown")


def test_a_changed_file_is_a_changed_policy_even_where_only_a_remark_changes(folder: Path) -> None:
    before = read(folder)
    again = read(folder)
    (folder / "lists" / "words.txt").write_text("# whales, all\nwhite whale\n\n白鲸计划\n", "utf-8")
    remark = read(folder)
    (folder / "lists" / "words.txt").write_text("# whales, all\nwhite whale\n", "utf-8")
    fewer = read(folder)

    assert before.digest == again.digest
    assert len({before.digest, remark.digest, fewer.digest}) == 3


def test_a_changed_list_of_a_red_line_is_a_change_of_that_red_line(folder: Path) -> None:
    before = read(folder, red=True)
    (folder / "lists" / "words.txt").write_text("white whale\n", "utf-8")
    fewer = read(folder, red=True)
    (folder / "lists" / "words.txt").write_text("# other remark\nwhite whale\n", "utf-8")
    remark = read(folder, red=True)

    assert changed_red_lines(before, before) == ()
    (change,) = changed_red_lines(before, fewer)
    assert change.rule == "words.list" and change.is_weaker and "1 terms fewer" in change.says.en
    (change,) = changed_red_lines(fewer, remark)
    assert not change.is_weaker and "file changes" in change.says.en and "词表" in change.says.zh


def test_a_kept_version_needs_no_file_and_is_the_same_to_the_digest(folder: Path) -> None:
    source = read_source(policy_text(), "house.yaml", folder)
    (folder / "lists" / "words.txt").unlink()

    kept = read_kept(source.content)

    assert kept == source and sha256(kept.content).hexdigest() == source.policy.digest
    assert finds(kept.policy, "the white whale")


def test_a_policy_without_lists_keeps_the_digest_it_had(folder: Path) -> None:
    content = read_source(policy_text("terms: [kraken]"), "house.yaml", folder).content

    assert b"terms_file" not in content


@pytest.mark.parametrize(
    ("asks", "where", "says"),
    [
        ("terms_file: lists/none.txt", "house.yaml:12", "cannot be read: No such file"),
        ("terms_file: lists", "house.yaml:12", ".txt file"),
        ("terms_file: lists/words.yaml", "house.yaml:12", ".txt file"),
        ("terms_file: ../secret.txt", "house.yaml:12", "leads out of the policy's folder"),
        ("terms_file: lists/../../secret.txt", "house.yaml:12", "leads out of the policy's folder"),
        ("terms_file: /etc/hosts.txt", "house.yaml:12", "leads out of the policy's folder"),
        ("terms_file: lists/link.txt", "house.yaml:12", "leads out of the policy's folder"),
        ("terms_file: lists/empty.txt", "house.yaml:12", "holds no term"),
        ("terms_file: lists/remarks.txt", "house.yaml:12", "holds no term"),
        ("terms_file: lists/gbk.txt", "house.yaml:12", "is not UTF-8 (line 2)"),
        ("terms_file: {file: lists/words.csv, category: air}", "house.yaml:12", "no term of the category 'air'"),
        ("terms_file: {file: lists/words.txt, category: sea}", "house.yaml:12", "only a .csv file has categories"),
        ("terms_file: {file: lists/headless.csv, category: sea}", "house.yaml:12", "names no column category, term"),
        ("terms_file: {file: lists/words.txt, sha256: abc}", "house.yaml:12", "expects another file"),
        ("terms_file: {file: lists/words.txt, lines: 3}", "house.yaml:12", "write the name of a list"),
        ("terms_file: 7", "house.yaml:12", "write the name of a list"),
        ("terms_file: lists/bad.txt", "lists/bad.txt:2", "more than 64 characters"),
        ("terms_file: lists/twice.txt", "lists/twice.txt:3", "stands in line 1 already"),
        ("terms: [White Whale]\n    terms_file: lists/words.txt", "house.yaml:12", "stands 2 times"),
    ],
)
def test_what_is_wrong_with_a_list_is_said_with_its_place(folder: Path, asks: str, where: str, says: str) -> None:
    lists = folder / "lists"
    (lists / "empty.txt").write_text("")
    (lists / "remarks.txt").write_text("# nothing\n\n")
    (lists / "gbk.txt").write_bytes("whale\n白鲸\n".encode("gbk"))
    (lists / "headless.csv").write_text("white whale,sea\n")
    (lists / "bad.txt").write_text("whale\n" + "x" * 65 + "\n")
    (lists / "twice.txt").write_text("Whale\nelk\nｗｈａｌｅ\n", "utf-8")
    (lists / "link.txt").symlink_to(folder.parent / "secret.txt")

    found = errors_of(folder, asks)

    assert says in found[where] and len(found) == 1


def test_a_policy_that_came_without_a_folder_has_no_lists() -> None:
    assert "came without one" in errors_of(None, "terms_file: lists/words.txt")["house.yaml:12"]


def test_fifty_thousand_terms_are_taken_and_one_more_is_not(folder: Path) -> None:
    terms = [f"term{number:05d}" for number in range(limits.MAX_FILE_TERMS)]
    (folder / "lists" / "most.txt").write_text("\n".join(terms))
    (folder / "lists" / "more.txt").write_text("\n".join([*terms, "onemore"]))
    (folder / "lists" / "huge.txt").write_bytes(b"x\n" * (limits.MAX_LIST_BYTES // 2 + 1))

    policy = read(folder, "terms_file: lists/most.txt")

    assert len(policy.rules[0].terms) == limits.MAX_FILE_TERMS
    assert finds(policy, "a term49999 here") and not finds(policy, "a term50000 here")
    assert "more than 50000 terms" in errors_of(folder, "terms_file: lists/more.txt")["house.yaml:12"]
    assert "bytes" in errors_of(folder, "terms_file: lists/huge.txt")["house.yaml:12"]


def test_of_many_errors_in_one_list_some_are_named_and_the_rest_counted(folder: Path) -> None:
    (folder / "lists" / "bad.txt").write_text('"\n' * 100)

    found = errors_of(folder, "terms_file: lists/bad.txt")

    assert len(found) == limits.MAX_NAMED + 1 and found["lists/bad.txt"] == "and 80 more errors"


def test_a_folder_with_one_broken_list_is_named_whole_and_lists_are_no_policies(folder: Path) -> None:
    (folder / "house.yaml").write_bytes(policy_text())
    assert list(load_policies(folder)) == ["house/lists"]

    (folder / "lists" / "words.txt").write_bytes(b"\xff\n")
    with pytest.raises(Invalid, match=r"house\.yaml:12"):
        load_policies(folder)


def test_a_pinned_file_is_taken_and_another_under_its_name_is_not(folder: Path) -> None:
    digest = sha256((folder / "lists" / "words.txt").read_bytes()).hexdigest()
    pinned = f"terms_file: {{file: lists/words.txt, sha256: {digest}}}"
    assert len(read(folder, pinned).rules[0].terms) == 2

    (folder / "lists" / "words.txt").write_text("kraken\n")

    assert "expects another file" in errors_of(folder, pinned)["house.yaml:12"]


@given(
    st.binary(max_size=300) | st.text(alphabet='a,"\r\n\0#白 x', max_size=300).map(str.encode),
    st.sampled_from(["txt", "csv"]),
)
def test_whatever_lies_there_is_a_list_or_named_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, ending: str
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / f"list.{ending}").write_bytes((b"term\n" if ending == "csv" else b"") + content)

    try:
        policy = read(folder, f"terms_file: list.{ending}")
    except Invalid as refused:
        assert refused.details
    else:
        assert policy.rules[0].terms
