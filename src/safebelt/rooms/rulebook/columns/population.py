"""Who a change is tried on: anything that can name its systems and say what is known of each."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook import packs
from safebelt.rooms.rulebook.model import Description, Rulebook


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One system of a population.

    Attributes:
        facts: Fact id to value; a fact that is not there is unknown.
    """

    id: str
    name: Text
    facts: Mapping[str, Any]


class Population(Protocol):
    """Systems, one after the other; they are read once, and never all held at the same time."""

    def __iter__(self) -> Iterator[Member]:
        """Yield every system."""


def described(descriptions: Iterable[Description]) -> Iterator[Member]:
    """Yield described systems as a population."""
    for one in descriptions:
        yield Member(id=one.id, name=one.name, facts=one.values())


def from_folder(folder: Path, rulebook: Rulebook) -> Iterator[Member]:
    """Yield the systems described by the YAML files of a folder and of those in it, in the order of their paths.

    Args:
        folder: `law/systems`, or any other.
        rulebook: Its facts are the vocabulary.

    Raises:
        Unreadable: A file is no description; every error in it with its line.
    """
    for path in sorted(folder.glob("**/*.yaml")):
        name = path.relative_to(folder).as_posix()
        yield from described([packs.read_description(path, rulebook, name=name)])
