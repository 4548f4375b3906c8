"""The register's and the public register's JSON API answers as its document says; a worker of its own runs it."""

from typing import Any

import pytest
from schemathesis import GenerationMode
from tests.api.asking import ask_all, described, faults, is_of_the_register, operations
from tests.api.complaints import complained_in_public
from tests.api.conftest import Api
from tests.api.register import filled

EXAMPLES, MANY_EXAMPLES = 4, 100


@pytest.fixture(scope="module")
def register(api: Api) -> tuple[Api, dict[str, dict[str, Any]]]:
    known, ordinary = filled(api)
    return known, {**ordinary, **complained_in_public(api), "GET /api/public/transparency": {}}


def test_every_operation_does_its_work_for_who_asks_in_the_ordinary_way(register) -> None:
    api, ordinary = register
    left, wrong = dict(ordinary), list[str]()
    for operation in operations(described(api), is_of_the_register):
        wrong += faults(api, operation, dict(left.pop(operation.label)))

    assert not wrong, "\n\n".join(wrong)
    assert not left, "asked for what does not exist"


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_response_is_undocumented(register, mode: GenerationMode) -> None:
    heard = ask_all(register[0], mode, EXAMPLES, is_of_the_register)

    assert not heard.wrong, "\n\n".join(heard.wrong)
    assert len(heard.statuses) > (90 if mode is GenerationMode.POSITIVE else 60)


@pytest.mark.soak
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_response_is_undocumented_however_long_one_asks(register, mode: GenerationMode) -> None:
    heard = ask_all(register[0], mode, MANY_EXAMPLES, is_of_the_register)

    assert not heard.wrong, "\n\n".join(heard.wrong)
