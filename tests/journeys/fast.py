"""A clock that several processes share and a test moves: months pass in seconds.

Time stands still between two steps.  A clock that only ran faster would tear apart what belongs together: minutes that a
protocol allows two clocks to differ by are microseconds at a hundred thousand times the speed.

`python -m tests.journeys.fast FILE belt` serves a belt by it: the house is put together as always, but its clock is
taken out and this one put in, from outside.
"""

import struct
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from safebelt.app import House
from safebelt.run.belts import run_belt
from safebelt.settings import Settings

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORM = struct.Struct("<q")  # microseconds since 1970


class SharedClock:
    """Tells the time that stands in a file of eight bytes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self) -> datetime:
        (since,) = _FORM.unpack(self._path.read_bytes())
        return _EPOCH + timedelta(microseconds=since)

    def set(self, now: datetime) -> None:
        draft = self._path.with_suffix(".next")
        draft.write_bytes(_FORM.pack((now - _EPOCH) // timedelta(microseconds=1)))
        draft.replace(self._path)  # no reader sees half of it

    def move(self, **by: float) -> None:
        self.set(self() + timedelta(**by))


if __name__ == "__main__":
    house = House(Settings())
    house.clock = SharedClock(Path(sys.argv[1]))
    run_belt(house)
