"""A process that writes records as fast as it can and says which are acknowledged, until it is killed."""

import os
import sys
import threading
from pathlib import Path


def main(folder: Path, trial: int) -> None:
    from tests.rooms.belt.records.support import Ledger, intent, outcome, put_one, writer

    from safebelt.engines.clock import wall_clock
    from safebelt.rooms.belt.records.limits import Limits

    book = folder / "ledger.txt"
    ledger = Ledger()
    for line in book.read_text().splitlines() if book.exists() else []:
        name, count, root = line.split()
        ledger.sealed[name] = (int(count), root)

    def on_sealed(segment: str, records: int, root: str) -> None:
        ledger(segment, records, root)
        with book.open("a") as file:
            file.write(f"{segment} {records} {root}\n")

    log = writer(folder, ledger, on_sealed=on_sealed, clock=wall_clock, limits=Limits(segment_records=300))
    log.start()

    def work(thread: int) -> None:
        n = 0
        while True:
            number = (trial * 100 + thread) * 1_000_000 + n
            for record in (intent(number, "文" * (n % 200)), outcome(number)):
                if put_one(log, record) is None:
                    os.write(1, f"{record.type} {record.id}\n".encode())  # one write: whole, or not at all
            n += 1

    for thread in range(8):
        threading.Thread(target=work, args=(thread,), daemon=True).start()
    threading.Event().wait(20)


if __name__ == "__main__":
    sys.path[:0] = sys.argv[3:]
    main(Path(sys.argv[1]), int(sys.argv[2]))
