"""The console's process: pages, JSON API and the public log, on Granian."""

import os
import sys
from typing import TYPE_CHECKING

from granian import Granian
from granian.constants import Interfaces

from safebelt.app import House
from safebelt.engines.garbage import building
from safebelt.engines.supervisor import die_with_parent
from safebelt.settings import Settings

if TYPE_CHECKING:
    from litestar import Litestar

_GOODBYE_SECONDS = 3
"""How long open pages, which never end by themselves, may keep the console from ending."""


def run_console(house: House) -> None:
    """Serve the console's port until SIGTERM."""
    settings = house.settings
    if password := house.access.first_run():  # `up` has done it before; a console started by itself has to
        sys.stdout.write(f"Administrator: admin   first password (shown this once): {password}\n")
        sys.stdout.flush()
    Granian(
        "safebelt.run.console:application",
        address=settings.bind,
        port=settings.console_port,
        interface=Interfaces.ASGI,
        factory=True,
        workers=1,
        blocking_threads=1,
        log_access=False,
        ssl_cert=settings.tls_cert,
        ssl_key=settings.tls_key,
        websockets=False,
        workers_kill_timeout=_GOODBYE_SECONDS,
    ).serve()


def application() -> "Litestar":
    """Build the ASGI application inside Granian's worker process; only there it is loaded."""
    os.environ["SAFEBELT_PARENT"] = str(os.getppid())
    die_with_parent()
    with building():
        from safebelt.run.doors import web  # noqa: PLC0415

        return web(House(Settings()))
