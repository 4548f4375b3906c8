"""Every link that a template writes leads to a door there is."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.architecture.house import SRC, templates

from safebelt.app import House
from safebelt.run.doors import web
from safebelt.settings import Settings

LINK = re.compile(r'(?:href|action|formaction)="(/\{\{ lang \}\}/(?:\{\{.*?\}\}|\{%.*?%\}|[^"{])*)"')
HOLE = re.compile(r"\{\{.*?\}\}")
LOGIC = re.compile(r"\{%.*?%\}")
ANY = "HOLE"
"""Stands where a template puts something in: a segment, or more of them."""


def links(template: str) -> Iterator[str]:
    """Every address a template writes out, without query and fragment; one put together by conditions is left out."""
    for found in LINK.findall(template):
        address = HOLE.sub(ANY, found.replace("/{{ lang }}/", "/en/", 1))
        if not LOGIC.search(address):
            yield re.split(r"[?#]", address)[0]


def leads_somewhere(address: str, doors: list[str]) -> bool:
    """Whether some door has this address; what a template puts in fits whatever a door takes, and nothing else."""
    wanted = re.compile("/".join(_fitting(part) for part in address.rstrip("/").split("/")))
    return any(wanted.fullmatch(door) for door in doors)


def _fitting(part: str) -> str:
    if ANY not in part:
        return rf"(?:{re.escape(part)}|\{{lang\}})" if part == "en" else re.escape(part)
    if part == ANY:
        return r"(?:\{[a-z_]+\}|[a-z-]+)(?:/[^/]+)*"
    return rf"(?:\{{[a-z_]+\}}|{re.escape(part).replace(ANY, '(?:/.+)?')})"


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The addresses of all doors, each part that a door takes written `{name}`."""
    folder: Path = tmp_path_factory.mktemp("doors")
    house = House(Settings(home=folder, database_url=f"sqlite:///{folder / 'house.db'}"))
    app = web(house)
    house.close()
    return [re.sub(r"\{([a-z_]+):[a-z]+\}", r"{\1}", route.path).rstrip("/") for route in app.routes]


def test_every_link_of_a_template_leads_to_a_door(doors: list[str]) -> None:
    written = [(path, link) for path in templates() for link in links(path.read_text())]

    assert len(written) > 100
    lost = [f"{path.relative_to(SRC)}: {link}" for path, link in written if not leads_somewhere(link, doors)]
    assert not lost, "\n".join(lost)


@pytest.mark.parametrize(
    ("template", "leads"),
    [
        ('<a href="/{{ lang }}/ledger/{{ entry.id }}">', True),
        ('<a href="/{{ lang }}/ledger/entries/{{ entry.id }}">', False),
        ('<a href="/{{ lang }}/belt/policies/{{ policy.id }}?version={{ x }}">', True),
        ('<form action="/{{ lang }}/belt/nowhere">', False),
    ],
)
def test_a_link_to_no_door_is_found(template: str, *, leads: bool, doors: list[str]) -> None:
    found = [leads_somewhere(link, doors) for link in links(template)]

    assert found == [leads]
