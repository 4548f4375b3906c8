"""The policies of `access/` come to what `cases.yaml` says, and nothing else."""

import re
import shutil
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from safebelt.kernel.actors import MACHINE, OWNER, PUBLIC, Actor, Role
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Unavailable
from safebelt.rooms.access import decide
from safebelt.rooms.access.model import Effect, Question, Ruling
from safebelt.rooms.access.permissions import SCHEMA_FILE, Permissions

FOLDER = Path(__file__).parents[2] / "access"
DATA = yaml.safe_load((FOLDER / "cases.yaml").read_text("utf-8"))
PERMISSIONS = Permissions(FOLDER)
ME = "usr_me"


def actor(roles: Any, *, is_stranger: bool = False) -> Actor:
    given = frozenset(Role(role) for role in roles)
    door = "cli" if given == {Role.OWNER} else "web"
    return Actor(id=PUBLIC.id if is_stranger else ME, roles=given, door=door)


@pytest.fixture
def copied(tmp_path: Path) -> Callable[..., Permissions]:
    """Reads a copy of the folder after an edit: `copied("belt.cedar", lambda text: …)`."""

    def edit(file: str, change: Callable[[str], str]) -> Permissions:
        folder = tmp_path / "access"
        shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
        before = (folder / file).read_text("utf-8") if (folder / file).exists() else ""
        after = change(before)
        assert after != before, "the edit must change something"
        (folder / file).write_text(after, "utf-8")
        return Permissions(folder)

    return edit


def without(policy: str) -> Callable[[str], str]:
    return lambda text: re.sub(rf'@id\("{re.escape(policy)}"\).*?;\n', "", text, flags=re.DOTALL)


# -- the cases -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("action", sorted(PERMISSIONS.actions))
def test_each_role_alone_may_do_exactly_what_the_table_says(action: str, role: Role) -> None:
    allowed, reason = PERMISSIONS.decide(actor([role]), action)

    assert allowed is (role in DATA["who_may"][action]), reason.as_text("en")


def test_the_table_lists_every_action_of_the_schema_and_no_other() -> None:
    assert set(DATA["who_may"]) == set(PERMISSIONS.actions)


@pytest.mark.parametrize("case", DATA["cases"], ids=lambda case: case["says"]["en"])
def test_each_case_comes_out_as_written_and_for_the_reason_written(case: dict[str, Any]) -> None:
    about = ME if case.get("about") == "self" else case.get("about", "")

    allowed, reason = PERMISSIONS.decide(
        actor(case["roles"], is_stranger=case.get("stranger", False)), case["action"], about
    )

    assert allowed is (case["expect"] == "allow"), reason.as_text("en")
    assert case["says"]["zh"]
    if "by" in case:
        assert list(reason.cites) == sorted(case["by"])


def test_every_policy_decides_at_least_one_case() -> None:
    named = {policy for case in DATA["cases"] for policy in case.get("by", ())}

    assert set(PERMISSIONS.policies) - named == set()


# -- red lines -----------------------------------------------------------------------------------------------------


def test_no_mixture_of_roles_may_switch_recording_off_whatever_else_is_permitted(copied) -> None:
    rogue = '\n@id("rogue.all") @cite("x") @why_zh("x") @why_en("x") permit (principal, action, resource);\n'
    lax = copied("belt.cedar", lambda text: text + rogue)
    mixtures = [mix for size in range(len(Role) + 1) for mix in combinations(Role, size)]

    assert not any(lax.decide(actor(mix), "ledger.silence")[0] for mix in mixtures)
    assert not lax.decide(OWNER, "ledger.silence")[0]
    assert lax.decide(actor([Role.PUBLIC]), "ledger.erase")[0], "the rogue policy does work where no red line stands"


def test_that_check_fails_where_the_red_line_is_taken_away(copied) -> None:
    without_line = copied("house.cedar", without("house.red-line-recording-stays-on"))

    assert without_line.decide(OWNER, "ledger.silence")[0]


def test_operators_never_resume_alone_even_where_somebody_permits_it(copied) -> None:
    rogue = '\n@id("rogue.resume") @cite("x") @why_zh("x") @why_en("x") permit (principal, action, resource);\n'
    lax = copied("belt.cedar", lambda text: text + rogue)

    assert not lax.decide(actor([Role.OPERATOR]), "belt.resume")[0]
    assert lax.decide(actor([Role.OPERATOR, Role.OVERSEER]), "belt.resume")[0]


# -- deny by default -------------------------------------------------------------------------------------------------


def test_a_deleted_policy_denies(copied) -> None:
    assert PERMISSIONS.decide(actor([Role.AUTHORITY]), "belt.stop")[0]

    fewer = copied("belt.cedar", without("belt.people-in-charge-may-stop"))
    allowed, reason = fewer.decide(actor([Role.AUTHORITY]), "belt.stop")

    assert not allowed
    assert (reason.holds, reason.cites) == (Truth.FALSE, ())


def test_an_action_nobody_defined_is_not_evaluated_and_so_denied() -> None:
    allowed, reason = PERMISSIONS.decide(OWNER, "belt.fly")

    assert (allowed, reason.holds) == (False, Truth.UNKNOWN)


def test_a_machine_without_a_role_may_do_nothing() -> None:
    assert not any(PERMISSIONS.decide(MACHINE, action)[0] for action in PERMISSIONS.actions)


def test_an_error_while_judging_denies_even_where_the_engine_said_allow() -> None:
    question = Question(roles=frozenset({Role.OWNER}), action="belt.stop", title=PERMISSIONS.actions["belt.stop"])
    engine = Ruling(is_allowed=True, policies=("house.owner-may-all",), errors=("a forbid could not be evaluated",))

    allowed, reason = decide.judge(question, engine, PERMISSIONS.policies)

    assert (allowed, reason.holds) == (False, Truth.UNKNOWN)
    assert "a forbid could not be evaluated" in reason.as_text("en")


def test_a_default_denial_says_which_roles_may() -> None:
    reason = PERMISSIONS.decide(actor([Role.AUTHORITY]), "belt.read_content")[1]

    assert "auditor, operator, overseer, owner" in reason.as_text("en")
    assert "审计员、运营者、监督员" in reason.as_text("zh")


# -- the files -----------------------------------------------------------------------------------------------------


def test_every_policy_says_why_in_both_languages_and_what_it_rests_on() -> None:
    for policy in PERMISSIONS.policies.values():
        assert re.search(r"[\u4e00-\u9fff]", policy.why.zh), policy.id
        assert not re.search(r"[\u4e00-\u9fff]", policy.why.en), policy.id
        assert policy.cites, policy.id
        assert policy.id.startswith(policy.file.removesuffix(".cedar") + "."), policy.id
    assert {policy.effect for policy in PERMISSIONS.policies.values()} == set(Effect)


def test_every_action_is_named_in_both_languages() -> None:
    for action, title in PERMISSIONS.actions.items():
        assert re.search(r"[\u4e00-\u9fff]", title.zh), action
        assert "\\" not in title.en, action


@pytest.mark.parametrize(
    ("file", "change", "says"),
    [
        ("belt.cedar", lambda text: text + "permit (", "belt.cedar"),
        ("belt.cedar", lambda text: text.replace('Action::"belt.stop"', 'Action::"belt.halt"'), "belt.halt"),
        ("belt.cedar", lambda text: text + "permit (principal, action, resource);", "@id"),
        ("belt.cedar", lambda text: text.replace("@why_zh", "@why_fr"), "@why_zh"),
        ("belt.cedar", lambda text: text.replace("belt.operator-runs", "house.owner-may-all"), "already used"),
        ("house.cedar", lambda text: text.replace("principal.is_known", "principal.age > 3"), "age"),
        (SCHEMA_FILE, lambda text: text + "entity", "schema"),
        (SCHEMA_FILE, lambda text: text.replace('@zh("下达停机令（切断、暂停、排空）") ', ""), "belt.stop"),
    ],
)
def test_safebelt_does_not_start_on_policies_it_does_not_understand(copied, file: str, change: Any, says: str) -> None:
    with pytest.raises(Unavailable) as error:
        copied(file, change)

    assert file in error.value.what.en
    assert says in error.value.what.en


def test_a_missing_folder_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        Permissions(tmp_path / "nowhere")
