"""Originals sealed to an auditor: a key a record, hashed forward, beside an age file a record and beside masking alone.

Run: `python -m bench.sealing [records]`.  All write the same 2 KB records in one run, interleaved; quote the ratios.
"""

import statistics
import sys
import time
from collections.abc import Callable

import pyrage

from safebelt.engines.archive_age import seal_bytes
from safebelt.engines.clock import real_chance
from safebelt.rooms.belt.records.line import SALT_BYTES, digest_of, encode, salted
from safebelt.rooms.belt.records.sealing import KEY_RECORDS, Sealer

TEXTS = {"messages[0].content": "请说明人工智能服务安全评估的流程。" * 22 + "ok " * 300}
ROUNDS = 9


def line(content: dict[str, object]) -> bytes:
    """What any record does with its content."""
    data = salted(encode(content), real_chance(SALT_BYTES))
    digest_of(data)
    return data


def cost(work: Callable[[], bytes], records: int) -> tuple[float, int]:
    """Return microseconds of one core a record, and bytes of its content."""
    began = time.process_time()
    for _ in range(records):
        made = work()
    return (time.process_time() - began) / records * 1e6, len(made)


def main(records: int) -> None:
    """Print what each way costs."""
    people = [str(pyrage.x25519.Identity.generate().to_public()) for _ in range(2)]
    one, two = (Sealer(people[:count], chance=real_chance) for count in (1, 2))
    masked: dict[str, object] = {"texts": TEXTS}

    def age(count: int) -> Callable[[], bytes]:
        return lambda: line({**masked, "sealed": seal_bytes(encode(TEXTS), people[:count]).hex()})

    ways: dict[str, Callable[[], bytes]] = {
        "masked texts alone": lambda: line(masked),
        "sealed, one recipient": lambda: line({**masked, "sealed": one.seal("rec_1", "intent", TEXTS)}),
        "sealed, two recipients": lambda: line({**masked, "sealed": two.seal("rec_1", "intent", TEXTS)}),
        "an age file a record, one recipient": age(1),
        "an age file a record, two recipients": age(2),
    }
    found: dict[str, list[tuple[float, int]]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, work in ways.items():
            found[name].append(cost(work, records))
    base = statistics.median(each for each, _ in found["masked texts alone"])
    print(f"{records} records a round, {ROUNDS} rounds, medians; a new seed every {KEY_RECORDS} records")
    for name, costs in found.items():
        micros = statistics.median(each for each, _ in costs)
        print(f"{name:<38} {micros:7.1f} µs a record, {micros - base:7.1f} more; {costs[0][1]:6d} bytes of content")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else KEY_RECORDS)
