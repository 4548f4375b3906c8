"""The model's process: the small real model on loopback."""

import signal
import threading

from safebelt.app import House
from safebelt.engines.models.local import serve_model


def run_model(house: House) -> None:
    """Serve the local model until SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    serve_model("127.0.0.1", house.settings.model_port, stop)
