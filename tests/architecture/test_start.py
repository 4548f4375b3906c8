"""A command starts quickly because it loads its own room and those below, and nothing that makes pages."""

import subprocess
import sys

import pytest

_START = """
import sys
from safebelt.__main__ import build
from safebelt.app import House
from safebelt.settings import Settings

build(House(Settings()), sys.argv[1:])
print(*sys.modules)
"""


def loaded_by(*words: str) -> set[str]:
    """What a process of its own has imported once it knows the commands that `words` name."""
    done = subprocess.run([sys.executable, "-c", _START, *words], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def too_much(loaded: set[str]) -> set[str]:
    """The rooms' doors for browsers and programs, and the libraries only they need."""
    doors = {name for name in loaded if name.startswith("safebelt.rooms.") and {"pages", "api"} & set(name.split("."))}
    return doors | ({"litestar", "jinja2", "polars", "nats", "safebelt.web.templating"} & loaded)


@pytest.mark.parametrize(("words", "unneeded"), [(("ledger", "list"), "registry"), (("registry", "search"), "belt")])
def test_a_command_of_one_room_loads_no_page_and_no_room_above(words: tuple[str, ...], unneeded: str) -> None:
    loaded = loaded_by(*words)

    assert f"safebelt.rooms.{words[0]}.service" in loaded
    assert f"safebelt.rooms.{unneeded}.service" not in loaded
    assert too_much(loaded) == set()


def test_a_process_of_the_house_loads_no_commands_though_it_has_the_name_of_a_room() -> None:
    loaded = loaded_by("serve", "belt")

    assert not {name for name in loaded if name.startswith("safebelt.rooms.") and name.endswith(".cli")}
    assert "safebelt.rooms.belt.cli" in loaded_by("belt", "serve"), "the first word is the one that is meant"


def test_help_and_a_misspelt_command_know_every_group() -> None:
    loaded = loaded_by("regstry")

    assert {f"safebelt.rooms.{room}.cli" for room in ("registry", "rulebook", "belt", "ledger", "access")} <= loaded


def test_a_page_that_a_command_loads_is_noticed() -> None:
    assert too_much({"safebelt.rooms.belt.cli", "safebelt.rooms.belt.pages.console", "litestar"}) == {
        "safebelt.rooms.belt.pages.console",
        "litestar",
    }
