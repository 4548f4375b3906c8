"""Text, actors, reasons, rooms, and problems say the same in both languages and to machines."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safebelt.kernel import errors
from safebelt.kernel.actors import MACHINE, OWNER, PUBLIC, Role
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import PROBLEMS, NotFound, Problem
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import LANGS, Text

texts = st.builds(Text, zh=st.text(), en=st.text())
reasons = st.recursive(
    st.builds(Reason, says=texts, holds=st.sampled_from(Truth), cites=st.lists(st.text(), max_size=2).map(tuple)),
    lambda inner: st.builds(
        Reason, says=texts, holds=st.sampled_from(Truth), because=st.lists(inner, max_size=3).map(tuple)
    ),
    max_leaves=6,
)


@given(texts)
def test_a_text_gives_each_reader_their_own_wording(text) -> None:
    assert [text.in_(lang) for lang in LANGS] == [text.zh, text.en]


@given(reasons)
def test_a_reason_is_json_and_text_with_one_line_per_statement(reason) -> None:
    data = reason.as_data()

    def count(node) -> int:
        return 1 + sum(count(child) for child in node["because"])

    assert json.loads(json.dumps(data)) == data
    assert count(data) == len(list(reason.walk()))
    assert set(data) == {"says", "holds", "cites", "because"}


def test_a_reason_reads_as_an_indented_tree_with_marks() -> None:
    part = Reason(says=Text(zh="年满十八", en="of age"), holds=Truth.UNKNOWN)
    whole = Reason(says=Text(zh="可以使用", en="may use"), holds=Truth.FALSE, because=(part,))

    assert whole.as_text("en") == "[-] may use\n  [?] of age"
    assert whole.as_text("zh") == "[-] 可以使用\n  [?] 年满十八"


def test_the_standing_actors_have_just_the_roles_they_need() -> None:
    assert PUBLIC.roles == {Role.PUBLIC}
    assert OWNER.roles == {Role.OWNER}
    assert MACHINE.roles == frozenset()


def test_every_problem_is_listed_with_a_code_and_a_status_of_its_own() -> None:
    subclasses = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Problem)}

    assert set(PROBLEMS) == subclasses - {Problem}
    assert len({kind.code for kind in PROBLEMS}) == len({kind.status for kind in PROBLEMS}) == len(PROBLEMS)
    assert {kind.exit_code for kind in PROBLEMS} <= {1, 2, 3}


@pytest.mark.parametrize("kind", PROBLEMS)
def test_every_problem_is_documented_with_its_status_and_exit_code(kind) -> None:
    row = re.search(rf"- {kind.__name__}\s.*?(\d{{3}}), exit (\d)", errors.__doc__ or "")

    assert row is not None
    assert (int(row[1]), int(row[2])) == (kind.status, kind.exit_code)
    assert kind.__doc__


def test_a_problem_says_what_happened_and_what_to_do_in_both_languages() -> None:
    problem = NotFound(
        what=Text(zh="没有该系统。", en="No such system."), hint=Text(zh="请检查编号。", en="Check the id.")
    )

    assert (problem.in_("zh"), problem.in_("en"), str(problem)) == (
        "没有该系统。 请检查编号。",
        "No such system. Check the id.",
        "No such system. Check the id.",
    )
    assert problem.details == {}
