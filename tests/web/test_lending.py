"""Applications that tests lend each other serve the house of whoever has them, and nobody else's."""

from types import SimpleNamespace

from litestar import Litestar, get
from litestar.testing import TestClient
from tests.apps import all_back, lent


def made(desk: SimpleNamespace) -> Litestar:
    @get("/", sync_to_thread=False)
    def whose() -> str:
        return str(desk.house)

    return Litestar([whose], logging_config=None, openapi_config=None)


def asked(app: Litestar) -> tuple[int, str]:
    with TestClient(app, raise_server_exceptions=False) as client:
        answer = client.get("/")
    return answer.status_code, answer.text


def test_two_of_one_test_are_two_and_each_serves_its_own_house() -> None:
    one, two = (lent("lending", made, house=house) for house in ("one", "two"))

    assert one is not two
    assert [asked(app) for app in (one, two, one)] == [(200, "one"), (200, "two"), (200, "one")]


def test_what_is_given_back_serves_nobody_until_it_is_lent_again() -> None:
    first = lent("lent again", made, house="first")
    all_back()
    status, said = asked(first)
    second = lent("lent again", made, house="second")

    assert status == 500 and "first" not in said
    assert second is first and asked(second) == (200, "second")
