"""A policy is read as C2SP tlog-policy says, and its quorum is the algebra it looks like."""

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safebelt.engines.signing import Cosigner, SignatureType, Signer, VerifierKey
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid
from safebelt.rooms.ledger.decide import MAX_POLICY_BYTES, quorum
from safebelt.rooms.ledger.decide.policy import MAX_EACH
from safebelt.rooms.ledger.model import Group, Named, WitnessPolicy
from safebelt.rooms.ledger.service import read_policy

LOG = Signer.of("example.org/log", bytes(32)).verifier
NAMES = ("X1", "X2", "X3", "Y1", "Y2", "Y3")


def witness(number: int, type_: SignatureType = SignatureType.ED25519) -> VerifierKey:
    return Cosigner.of(f"witness.example/{number}", type_, number.to_bytes(32)).verifier


EXAMPLE = f"""log {LOG}

witness X1 {witness(1)}
witness X2 {witness(2)}
witness X3 {witness(3)}
group X-witnesses 2 X1 X2 X3

witness Y1 {witness(4)}
witness Y2 {witness(5)}
witness Y3 {witness(6, SignatureType.MLDSA44)}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""
"""The example of c2sp.org/tlog-policy, with keys in it."""


def holds(policy: WitnessPolicy, *signed: str) -> bool:
    return quorum(policy, frozenset(signed)).holds is Truth.TRUE


def test_the_example_of_the_specification_asks_for_two_of_these_and_one_of_those() -> None:
    policy = read_policy(EXAMPLE.encode())

    assert [each.key for each in policy.logs] == [str(LOG)]
    for count in range(len(NAMES) + 1):
        for signed in combinations(NAMES, count):
            x, y = (sum(name.startswith(letter) for name in signed) for letter in "XY")
            assert holds(policy, *signed) is (x >= 2 and y >= 1), signed


def test_the_reason_names_each_witness_and_what_is_missing() -> None:
    reason = quorum(read_policy(EXAMPLE.encode()), frozenset({"X1", "Y2"}))

    assert reason.holds is Truth.FALSE
    for lang, lines in {
        "en": ("X-witnesses: 2 of 3 are needed, 1 have cosigned.", "X2 has not cosigned.", "Y2 has cosigned."),
        "zh": ("X-witnesses：3 个成员中需 2 个，实有 1 个。", "X2 未联署。", "Y2 已联署。"),
    }.items():
        assert all(line in reason.as_text(lang) for line in lines)  # type: ignore[arg-type]


def test_a_policy_may_ask_for_one_witness_or_for_none() -> None:
    one = read_policy(f"witness w {witness(1)} https://w.example/\nquorum w\n".encode())
    none = read_policy(b"# nobody\n\n \tquorum \t none \n")

    assert (holds(one), holds(one, "w"), holds(none)) == (False, True, True)
    assert one.witnesses[0].url == "https://w.example/"


def test_lines_may_be_indented_and_what_is_not_ascii_is_opaque() -> None:
    kelvin = "\N{KELVIN SIGN}".encode()
    policy = read_policy(
        b"witness K "
        + str(witness(1)).encode()
        + b"\n\twitness "
        + kelvin
        + b" "
        + str(witness(2)).encode()
        + b"\nwitness \xff\xfe "
        + str(witness(3)).encode()
        + b"\n#\xff\ngroup g all K "
        + kelvin
        + b" \xff\xfe\nquorum g\n"
    )

    assert len({each.name for each in policy.witnesses}) == 3
    reason = quorum(policy, frozenset({each.name for each in policy.witnesses}))
    assert reason.holds is Truth.TRUE
    reason.as_text("en").encode()


GOOD = f"witness a {witness(1)}\nwitness b {witness(2)}\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "quorum none",
        GOOD,
        GOOD + "quorum c\n",
        GOOD + "quorum a\nquorum a\n",
        GOOD + "quorum a b\n",
        GOOD + "quorum\n",
        GOOD + "group none any a\nquorum none\n",
        GOOD + "group g any none\nquorum g\n",
        GOOD + "group g any\nquorum none\n",
        GOOD + "group g any c\nquorum none\n",
        GOOD + "group g any g\nquorum none\n",
        GOOD + "group g any a a\nquorum none\n",
        GOOD + "group g any a\ngroup h all a b\nquorum h\n",
        GOOD + "group g 0 a\nquorum g\n",
        GOOD + "group g 3 a b\nquorum g\n",
        GOOD + "group g 01 a b\nquorum g\n",
        GOOD + "group g +1 a b\nquorum g\n",
        GOOD + "group g some a b\nquorum g\n",
        GOOD + "group a any b\nquorum a\n",
        GOOD + f"witness a {witness(3)}\nquorum a\n",
        GOOD + f"witness c {witness(1)}\nquorum a\n",
        GOOD + f"witness c {LOG}\nquorum c\n",
        GOOD + f"witness c {str(witness(3))[:-1]}\nquorum c\n",
        GOOD + f"witness c {witness(3)} url more\nquorum c\n",
        GOOD + f"log {LOG}\nlog {LOG}\nquorum a\n",
        GOOD + "log x\nquorum a\n",
        GOOD + "Quorum a\n",
        GOOD.replace("\n", "\r\n") + "quorum a\n",
        GOOD + "quorum a\n\x00\n",
        GOOD + "quorum a # comment\n",
        GOOD.replace(" ", "\N{NO-BREAK SPACE}") + "quorum a\n",
    ],
)
def test_whatever_breaks_the_form_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="witness policy"):
        read_policy(text.encode())


def test_the_same_key_under_another_name_or_type_is_a_duplicate() -> None:
    twin = VerifierKey.of("else", SignatureType.ED25519, witness(1).public)

    with pytest.raises(Invalid, match="stands there twice"):
        read_policy(f"{GOOD}witness c {twin}\nquorum a\n".encode())


def test_a_policy_is_bounded_and_has_room_for_more_than_the_specification_asks() -> None:
    lines = [f"witness w{i} {witness(i + 1)}" for i in range(MAX_EACH)]
    full = "\n".join([*lines, "group g any " + " ".join(f"w{i}" for i in range(MAX_EACH)), "quorum g\n"])

    assert holds(read_policy(full.encode()), "w7")
    with pytest.raises(Invalid, match="more than"):
        read_policy("\n".join([*lines, f"witness x {witness(MAX_EACH + 1)}", "quorum x\n"]).encode())
    with pytest.raises(Invalid, match="more than"):
        read_policy(b"#" * (MAX_POLICY_BYTES + 1))


@settings(max_examples=150)
@given(
    st.binary(max_size=60)
    | st.lists(st.sampled_from([*"ab \t\n", "log ", "witness ", "group ", "quorum ", "none"]))
    .map("".join)
    .map(str.encode)
)
def test_whatever_is_in_the_file_is_read_or_refused(data: bytes) -> None:
    try:
        policy = read_policy(data)
    except Invalid:
        return
    assert policy.quorum == "none"


@st.composite
def policies(draw: Any) -> WitnessPolicy:
    """A policy of some witnesses and groups, each a member of at most one group."""
    free = [f"w{i}" for i in range(draw(st.integers(1, 6)))]
    witnesses, groups = tuple(Named(name=name, key=name) for name in free), []
    for number in range(draw(st.integers(0, 5))):
        if not free:
            break
        members = draw(st.lists(st.sampled_from(free), min_size=1, unique=True))
        free = [name for name in free if name not in members] + [f"g{number}"]
        groups.append(Group(name=f"g{number}", needed=draw(st.integers(1, len(members))), members=tuple(members)))
    names = [each.name for each in (*witnesses, *groups)]
    return WitnessPolicy(logs=(), witnesses=witnesses, groups=tuple(groups), quorum=draw(st.sampled_from(names)))


def meaning(policy: WitnessPolicy, name: str, signed: frozenset[str]) -> bool:
    """The definition, read as it stands: so many of the members, or the witness itself."""
    for group in policy.groups:
        if group.name == name:
            return sum(meaning(policy, member, signed) for member in group.members) >= group.needed
    return name in signed


@given(policies(), st.sets(st.sampled_from([f"w{i}" for i in range(6)])))
def test_a_quorum_is_what_its_definition_says(policy: WitnessPolicy, signed: set[str]) -> None:
    assert holds(policy, *signed) is meaning(policy, policy.quorum, frozenset(signed))


@given(policies(), st.sets(st.sampled_from([f"w{i}" for i in range(6)])), st.sampled_from([f"w{i}" for i in range(6)]))
def test_one_witness_more_never_spoils_a_quorum(policy: WitnessPolicy, signed: set[str], more: str) -> None:
    assert not holds(policy, *signed) or holds(policy, *signed, more)


@given(policies())
def test_everybody_is_enough_and_nobody_never_is(policy: WitnessPolicy) -> None:
    assert holds(policy, *(each.name for each in policy.witnesses))
    assert not holds(policy)


@given(st.integers(1, 6), st.data())
def test_any_is_one_and_all_is_everyone(count: int, data: Any) -> None:
    names = [f"w{i}" for i in range(count)]
    text = "".join(f"witness {name} {witness(i + 1)}\n" for i, name in enumerate(names))
    signed = data.draw(st.sets(st.sampled_from(names)))
    spelt = {
        word: read_policy(f"{text}group g {word} {' '.join(names)}\nquorum g\n".encode())
        for word in ("any", "all", "1", str(count))
    }

    assert spelt["any"] == spelt["1"]
    assert spelt["all"] == spelt[str(count)]
    assert holds(spelt["any"], *signed) is bool(signed)
    assert holds(spelt["all"], *signed) is (signed == set(names))
