"""A room is loaded when somebody goes there, and not before."""

import subprocess
import sys

import pytest

from safebelt.kernel.rooms import Unbuilt, later


def test_a_packages_names_are_found_when_they_are_named() -> None:
    get = later("json", {"decoder": "JSONDecoder JSONDecodeError", "encoder": "JSONEncoder"})

    from json.decoder import JSONDecodeError

    assert get("JSONDecodeError") is JSONDecodeError
    with pytest.raises(AttributeError, match="no attribute 'JSONWhale'"):
        get("JSONWhale")


@pytest.mark.parametrize("room", ["belt", "labelling", "registry"])
def test_a_package_of_services_loads_no_chapter_by_itself_and_gives_out_every_name_it_promises(room: str) -> None:
    package = f"safebelt.rooms.{room}.service"
    program = (
        f"import sys, {package} as it\n"
        "loaded = [name for name in sys.modules if name.startswith(it.__name__ + '.')]\n"
        "assert not loaded, loaded\n"
        "for name in it.__all__: getattr(it, name)\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_what_stands_for_a_room_builds_it_when_it_is_asked() -> None:
    built: list[str] = []

    def build() -> str:
        built.append("once")
        return "a room"

    unbuilt = Unbuilt(build)

    assert not built
    assert unbuilt.upper() == "A ROOM"
    assert built == ["once"]
