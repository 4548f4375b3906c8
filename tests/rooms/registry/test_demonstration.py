"""Systems without traffic are as much at home in the dossier as a chat service."""

from pathlib import Path

import pytest

from safebelt.app import House
from safebelt.rooms.registry.model import Status
from safebelt.run.demonstration import load_demonstration
from safebelt.settings import Settings


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory):
    home: Path = tmp_path_factory.mktemp("home")
    house = House(Settings(home=home, admin_password="a-password-for-the-test"))
    yield house
    house.close()


def test_three_systems_enter_on_claims_alone_and_their_dossiers_say_so(house: House) -> None:
    loaded = load_demonstration(house)

    assert [one.system.status for one in loaded] == [Status.IN_SERVICE] * 3
    for one in loaded:
        dossier = house.registry.dossier(one.system.id)
        assert (
            dossier.system.provisional and "provisional" in one.system.stage.en and house.registry.links(one.system.id)
        )
        assert {piece.is_claimed for piece in house.registry.life(one.system.id).evidence} == {True}


def test_loading_twice_enters_nothing_twice(house: House) -> None:
    first, second = load_demonstration(house), load_demonstration(house)

    assert [one.system.id for one in first] == [one.system.id for one in second]
    assert not any(one.is_new for one in second)
