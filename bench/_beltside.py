"""A belt as it is measured: a house of its own with 10,000 words, personal data and injection phrases to look for."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench._wire import PROXY_CORE, free_port, process, wait_for

ROOT = Path(__file__).parents[1]
WORDS_ZH, WORDS_EN = 6_000, 4_000
_CONSONANTS = "bcdfghklmnprstvwxz"
_SAID = "The quick brown fox jumps over the lazy dog while 人工智能 服务 运行 稳定. "
_UNIT = _SAID.encode()


def text(size: int) -> str:
    """About `size` bytes of harmless text, Chinese and English."""
    return _SAID * (size // len(_UNIT))


def words() -> list[str]:
    """10,000 distinct words, none of which the texts hold; the same ones each time."""
    chance = random.Random(20261122)
    found: dict[str, None] = {}
    while len(found) < WORDS_ZH:
        word = "".join(chr(chance.randrange(0x4E00, 0x9F00)) for _ in range(chance.randint(2, 6)))
        found.setdefault(word)
    while len(found) < WORDS_ZH + WORDS_EN:
        found.setdefault(" ".join(_word(chance) for _ in range(chance.randint(1, 3))))
    return [word for word in found if word not in _SAID]


def _word(chance: random.Random) -> str:
    return "".join(chance.choice(_CONSONANTS) + chance.choice("aeiou") for _ in range(chance.randint(2, 4)))


def policy() -> str:
    """The baseline policy that ships, with the words as one more rule."""
    data = yaml.safe_load((ROOT / "screening" / "safebelt-baseline.yaml").read_text("utf-8"))
    data["policy"] = "bench/words"
    rule = {
        "id": "bench.words",
        "kind": "keywords",
        "title": {"zh": "测量用词表", "en": "words of the measurement"},
        "sides": ["input", "output"],
        "action": "refuse",
        "terms": words(),
    }
    data["rules"].append(rule)
    return json.dumps(data, ensure_ascii=False, default=str)  # JSON is YAML


@dataclass(frozen=True)
class House:
    """A prepared house: settings for its processes, the demonstration system and its key."""

    env: dict[str, str]
    system: str
    key: str
    home: Path

    def run(self, *words: str) -> str:
        """Run one command of the house."""
        command = [sys.executable, "-m", "safebelt", *words]
        done = subprocess.run(command, env={**os.environ, **self.env}, check=True, capture_output=True, text=True)
        return done.stdout


def plain(folder: Path, upstream: int) -> House:
    """Found a house with the demonstration system as it ships: where nothing depends on how much is looked for."""
    return _founded(folder, upstream, {})


def prepared(folder: Path, upstream: int) -> House:
    """Found a house whose demonstration system looks for everything."""
    data = folder / "data"
    data.mkdir()
    for one in ROOT.iterdir():
        if one.is_dir() and one.name != "screening" and not one.name.startswith("."):
            (data / one.name).symlink_to(one)
    screening = data / "screening"
    screening.mkdir()
    for one in (ROOT / "screening").iterdir():
        (screening / one.name).symlink_to(one)
    (screening / "bench-words.yaml").write_text(policy(), encoding="utf-8")
    house = _founded(folder, upstream, {"SAFEBELT_DATA": str(data)})
    house.run("belt", "systems", "set", house.system, "--policy", "bench/words", "--stance", "enforce")
    return house


def _founded(folder: Path, upstream: int, more: dict[str, str]) -> House:
    home = folder / "home"
    env = {
        **more,
        "SAFEBELT_HOME": str(home),
        "SAFEBELT_BELT_PORT": str(free_port()),
        "SAFEBELT_CONSOLE_PORT": str(free_port()),
        "SAFEBELT_UPSTREAM": f"http://127.0.0.1:{upstream}/v1",
    }
    house = House(env=env, system="", key="", home=home)
    system = json.loads(house.run("--format", "json", "demo"))["system"]
    return House(env=env, system=system, key=(home / "keys" / "demo.key").read_text().strip(), home=home)


@contextmanager
def running(house: House, mode: str, log: Path) -> Iterator[tuple[int, int]]:
    """Run its belt in a record mode; pid and port."""
    house.run("belt", "systems", "set", house.system, "--record-mode", mode)
    port = int(house.env["SAFEBELT_BELT_PORT"])
    with process([sys.executable, "-m", "safebelt", "serve", "belt"], core=PROXY_CORE, env=house.env, log=log) as pid:
        wait_for(port)
        yield pid, port
