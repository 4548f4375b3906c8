"""Ports for the servers that tests start, when two runs of tests share a machine."""

import os
import socket
from itertools import count

_FIRST, _EACH, _WORKERS = 20_000, 1_500, 8
"""Below 32768, where Linux begins to hand out ports to clients: a port that is free stays free until its server starts."""

_turn = count(os.getpid())


def free_port() -> int:
    """Return a port of 127.0.0.1 nobody listens on; every xdist worker has ports of its own."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
    for _ in range(_EACH):
        port = _FIRST + worker * _EACH + next(_turn) % _EACH
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that was just let go will do
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no port is free")
