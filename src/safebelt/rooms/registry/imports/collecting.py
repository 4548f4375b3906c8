"""Thousands of records made at once, without looking for circular garbage among them again and again."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Put off the collection of circular garbage, for the second or so that a part takes.

    What is made here lives on, so each collection would look through all of it and find nothing: a sixth of the time of
    an import.  Where two threads do this at once, the first to end begins collecting again, which is early but no harm.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
