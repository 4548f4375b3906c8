"""The policies of `access/`, read and checked once, asked many times (Cedar).

>>> permissions = Permissions(Path("access"))
>>> permissions.decide(actor, "belt.stop")
(True, Reason(says=…))
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cedarpy

from safebelt.kernel.actors import PUBLIC, Actor, Role
from safebelt.kernel.errors import Unavailable
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.access import decide
from safebelt.rooms.access.model import Effect, Policy, Question, Ruling

SCHEMA_FILE = "schema.cedarschema"
_TITLED = re.compile(r'((?:^@\w+\(".*"\)\n)*)^action "([a-z_]+\.[a-z_]+)"', re.MULTILINE)
_ANNOTATION = re.compile(r'^@(\w+)\("(.*)"\)$', re.MULTILINE)
_ESCAPED = re.compile(r"\\(.)")
_NEEDED = ("id", "cite", "why_zh", "why_en")


class Permissions:
    """Who may do what, as the folder says.

    Args:
        folder: Holds `schema.cedarschema` and the `.cedar` files.

    Raises:
        Unavailable: A file is missing, does not parse, breaks the schema, lacks an annotation, or repeats an id.
            Safebelt does not start on policies it does not understand.
    """

    def __init__(self, folder: Path) -> None:
        self._schema = _schema(folder / SCHEMA_FILE)
        self.actions: Mapping[str, Text] = _titles(folder / SCHEMA_FILE, self._schema)
        parsed: dict[str, Any] = {}
        policies: dict[str, Policy] = {}
        for file in sorted(folder.glob("*.cedar")):
            for raw in _parsed(file, self._schema):
                policy = _described(raw, file)
                if policy.id in policies:
                    raise _broken(file, f"policy id {policy.id} is already used in {policies[policy.id].file}")
                policies[policy.id], parsed[policy.id] = policy, raw
        self.policies: Mapping[str, Policy] = policies
        # Cedar names policies by position; giving it our own ids makes its answers name them as people do.
        text = json.dumps({"staticPolicies": parsed, "templates": {}, "templateLinks": []})
        self._policies = cedarpy.PolicySet.from_json_str(text)

    def decide(self, actor: Actor, action: str, resource: str = "") -> tuple[bool, Reason]:
        """Say whether `actor` may do `action`, and which policies say so."""
        ruling = self._ask(actor, action, resource)
        who_may = () if ruling.is_allowed or ruling.policies else self.who_may(action)
        question = Question(roles=actor.roles, action=action, title=self.actions.get(action), who_may=who_may)
        return decide.judge(question, ruling, self.policies)

    def who_may(self, action: str) -> tuple[Role, ...]:
        """Return the roles any one of which is enough for `action`."""
        return tuple(role for role in Role if self._ask(_bearer_of(role), action, "").is_allowed)

    def _ask(self, actor: Actor, action: str, resource: str) -> Ruling:
        if action not in self.actions:
            return Ruling(is_allowed=False)
        who, about = {"type": "Actor", "id": actor.id}, {"type": "Thing", "id": resource}
        attributes = {"ref": actor.id, "door": actor.door, "is_known": actor.id != PUBLIC.id}
        parents = [{"type": "Role", "id": role} for role in sorted(actor.roles)]
        entities: list[dict[Any, Any]] = [
            {"uid": who, "attrs": attributes, "parents": parents},
            {"uid": about, "attrs": {"ref": resource}, "parents": []},
        ]
        request = {"principal": who, "action": {"type": "Action", "id": action}, "resource": about, "context": {}}
        answer = cedarpy.is_authorized(request, self._policies, entities, schema=self._schema)
        found = answer.diagnostics
        return Ruling(is_allowed=answer.allowed, policies=tuple(found.reasons), errors=tuple(found.errors))


def _bearer_of(role: Role) -> Actor:
    return Actor(id=f"role:{role}", roles=frozenset({role}), door="cli" if role is Role.OWNER else "web")


def _schema(file: Path) -> cedarpy.Schema:
    try:
        return cedarpy.Schema.from_str(_read(file))
    except ValueError as error:
        raise _broken(file, str(error)) from error


def _titles(file: Path, schema: cedarpy.Schema) -> dict[str, Text]:
    titles = {}
    for annotations, action in _TITLED.findall(str(schema)):
        said = {name: _ESCAPED.sub(r"\1", value) for name, value in _ANNOTATION.findall(annotations)}
        if not said.get("zh") or not said.get("en"):
            raise _broken(file, f'action "{action}" lacks @zh or @en')
        titles[action] = Text(zh=said["zh"], en=said["en"])
    return titles


def _parsed(file: Path, schema: cedarpy.Schema) -> list[dict[str, Any]]:
    text = _read(file)
    try:
        document = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError as error:
        raise _broken(file, str(error)) from error
    checked = cedarpy.validate_policies(text, schema)
    if not checked.validation_passed:
        raise _broken(file, "; ".join(str(error) for error in checked.errors))
    if document["templates"]:
        raise _broken(file, "templates are not used here; write the policy out")
    return list(document["staticPolicies"].values())


def _described(raw: dict[str, Any], file: Path) -> Policy:
    said = raw.get("annotations", {})
    missing = [f"@{name}" for name in _NEEDED if not said.get(name)]
    if missing:
        raise _broken(file, f"policy {said.get('id', '(without id)')} lacks {', '.join(missing)}")
    return Policy(
        id=said["id"],
        effect=Effect(raw["effect"]),
        why=Text(zh=said["why_zh"], en=said["why_en"]),
        cites=tuple(said["cite"].split()),
        file=file.name,
    )


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise _broken(file, str(error.strerror)) from error


def _broken(file: Path, problem: str) -> Unavailable:
    return Unavailable(
        what=Text(
            zh=f"权限策略文件 {file.name} 无法使用：{problem}",
            en=f"The policy file {file.name} cannot be used: {problem}.",
        ),
        hint=Text(
            zh="请修正 access/ 文件夹中的该文件后重新启动。",
            en="Correct that file in the access/ folder and start again.",
        ),
        details={"file": file.name},
    )
