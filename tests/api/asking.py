"""Ask the application what its OpenAPI document allows, or forbids, and hold the answers to what it promises."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from tests.api.conftest import Api

from safebelt.kernel.actors import Role

NOT_ASKED = {
    "positive_data_acceptance": "409 and 422 are documented answers to what fits the schema: rules of the moment "
    "and of form (a version not stale, a reason not blank) are more than a schema can say; 400 is not, see below",
    "ignored_auth": "it repeats a request with the very header we send; tests of our own ask without one",
}
"""Checks of schemathesis that are left out, and why."""
HANG_SECONDS = 120
"""How long an answer may take: only a hang takes so long.  Schemathesis' own 10 s are over sooner on a busy machine."""
OF_THE_REGISTER = ("/api/registry/", "/api/public/")
"""Where the doors of the register begin; they have a module, and so a worker, of their own."""
OF_AN_AUTHORITY = ("/vouches", "/evidence/issued", "/api/registry/offices", "/drafts", "/proof")
OF_AN_OPERATOR = ("/answers", "/receipt")


def is_of_the_register(path: str) -> bool:
    return path.startswith(OF_THE_REGISTER)


def role_for(method: str, path: str) -> Role:
    """Return who does such a thing: nobody both operates systems and supervises them."""
    if method == "GET" or not path.startswith("/api/registry/"):
        return Role.ADMIN
    is_case = path.startswith("/api/registry/cases") and not path.endswith(OF_AN_OPERATOR)
    return Role.AUTHORITY if is_case or any(word in path for word in OF_AN_AUTHORITY) else Role.ADMIN


@dataclass
class Heard:
    """What came back: what is otherwise than documented, and every status by operation."""

    wrong: list[str] = field(default_factory=list)
    statuses: dict[str, set[int]] = field(default_factory=dict)


def described(api: Api, *, has_known: bool = False) -> Any:
    """Read the document; with `has_known`, an id that exists takes the place of every other one made up."""
    # Unknown query parameters are ignored, as everywhere on the web, so none are made up.
    generation = {"allow-extra-parameters": False, "with-security-parameters": False}
    config = SchemathesisConfig.from_dict({"generation": generation, "request-timeout": HANG_SECONDS})
    schema = schemathesis.openapi.from_asgi("/schema/openapi.json", api.app, config=config)

    def known(_context: Any, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return {
            name: api.known[name] if name in api.known and len(str(value)) % 2 == 0 else value
            for name, value in values.items()
        }

    if has_known:
        schema.hook("map_path_parameters")(known)
        schema.hook("map_body")(known)
        schema.hook("map_query")(known)
    return schema


def operations(schema: Any, wanted: Callable[[str], bool]) -> list[Any]:
    """Return the operations of the document whose path is wanted."""
    found = (result.ok() for result in schema.get_all_operations())
    return [operation for operation in found if wanted(operation.path)]


def can_be_asked_wrongly(operation: Any) -> bool:
    """Whether anything sent could break the document: a body, a query, or a path of more than plain words."""
    schemas = [parameter.definition["schema"] for parameter in operation.path_parameters]
    is_bound = any(set(schema) - {"description"} != {"type"} or schema["type"] != "string" for schema in schemas)
    return is_bound or bool(list(operation.body) or list(operation.query))


def check(case: Any, response: Any) -> None:
    """Hold an answer to the document."""
    case.validate_response(response, excluded_checks=CHECKS.get_by_names(list(NOT_ASKED)))


def _ask(api: Api, case: Any, mode: GenerationMode, heard: Heard) -> None:
    response = case.call(headers=api.headers(role_for(case.operation.method.upper(), case.operation.path)))
    label = case.operation.label
    heard.statuses.setdefault(label, set()).add(response.status_code)
    if mode is GenerationMode.POSITIVE and response.status_code == 400:
        heard.wrong.append(f"{label}: the document allows what the door cannot read: {response.text}")
    try:
        check(case, response)
    except FailureGroup as failures:
        heard.wrong.append(f"{label}: {failures}")


def ask_all(api: Api, mode: GenerationMode, examples: int, wanted: Callable[[str], bool]) -> Heard:
    """Ask every wanted operation so many things that fit the document, or so many that break it."""
    heard = Heard()
    schema = described(api, has_known=mode is GenerationMode.POSITIVE)
    asking = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    for operation in operations(schema, wanted):
        if mode is GenerationMode.NEGATIVE and not can_be_asked_wrongly(operation):
            continue  # looking for what does not exist takes long

        def ask(case: Any) -> None:
            _ask(api, case, mode, heard)

        try:
            seed(2026)(asking(given(case=operation.as_strategy(generation_mode=mode))(ask)))()
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE, operation.label  # what takes nothing cannot be asked wrongly
    return heard


def faults(api: Api, operation: Any, how: dict[str, Any]) -> list[str]:
    """Do one operation's work in the ordinary way; return what went wrong.  The media type is JSON unless said."""
    role = how.pop("role", role_for(operation.method.upper(), operation.path))
    if "body" in how:
        how.setdefault("media_type", "application/json")
    case = operation.Case(**how)
    response = case.call(headers=api.headers(role))
    try:
        check(case, response)
    except FailureGroup as failures:
        return [f"{operation.label}: {failures}"]
    return [] if response.status_code in {200, 201, 202, 204} else [f"{operation.label}: {response.text}"]
