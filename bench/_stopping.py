"""How long a stop takes, as callers see it: from the order's file to the first refusal and to the last stream's end."""

import socket
import statistics
import threading
import time
from pathlib import Path

from bench._beltside import House

STREAMS, TRIALS = 16, 5


def measured(house: House, port: int, stream: Path) -> dict[str, str]:
    """Cut a belt's traffic several times; return what was seen, in words for the page."""
    refused, ended = list[float](), list[float]()
    box = house.home / "belt" / "stop"
    for _ in range(TRIALS):
        one, all_ = _cut(box, port, stream.read_bytes())
        refused.append(one)
        ended.append(all_)
        box.write_text("run\n")
        time.sleep(0.3)
    return {
        "stop by file: new work refused, ms, median (worst)": f"{statistics.median(refused):.0f} ({max(refused):.0f})",
        f"stop by file: {STREAMS} running streams ended, ms, median (worst)": (
            f"{statistics.median(ended):.0f} ({max(ended):.0f})"
        ),
    }


def _cut(box: Path, port: int, request: bytes) -> tuple[float, float]:
    ended, streams = list[float](), [_opened(port, request) for _ in range(STREAMS)]
    threads = [threading.Thread(target=_until_end, args=(one, ended)) for one in streams]
    for thread in threads:
        thread.start()
    began = time.perf_counter()
    box.write_text("cut\n")
    while _status(port, request) != 503:
        pass
    refused = time.perf_counter() - began
    for thread in threads:
        thread.join()
    return refused * 1000, (max(ended) - began) * 1000


def _opened(port: int, request: bytes) -> socket.socket:
    """Begin a stream; return once it has begun to speak."""
    one = socket.create_connection(("127.0.0.1", port))
    one.sendall(request)
    assert one.recv(65536).startswith(b"HTTP/1.1 200")
    return one


def _until_end(one: socket.socket, ended: list[float]) -> None:
    try:
        while one.recv(65536):
            pass
    except OSError:
        pass
    ended.append(time.perf_counter())
    one.close()


def _status(port: int, request: bytes) -> int:
    with socket.create_connection(("127.0.0.1", port)) as one:
        one.sendall(request)
        try:
            said = one.recv(4096)
        except OSError:
            return 0
        return int(said[9:12]) if said else 0
