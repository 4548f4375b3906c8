"""Other logs for tests: one that does as it is told, and houses that reach each other without a network."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

import httpx2
from litestar import Litestar
from litestar.di import Provide
from litestar.testing import TestClient
from tests.rooms.ledger.conftest import Desk

from safebelt.engines.clock import real_ids
from safebelt.engines.signing import CosignerStore, KeyStore, Signer, VerifierKey, sign_note
from safebelt.engines.sql import Sql, metadata
from safebelt.kernel import merkle
from safebelt.kernel.ids import NewId
from safebelt.rooms.ledger import decide
from safebelt.rooms.ledger.api import StaticLog, WitnessDoors
from safebelt.rooms.ledger.room import ROOM
from safebelt.rooms.ledger.service import Ledger, Peers
from safebelt.rooms.ledger.tiles import Tiles, Tree
from safebelt.web.problems import problem_handlers


class OtherLog:
    """A log that signs whatever it is told to; `seed` says with which key."""

    def __init__(self, origin: str, *entries: str, seed: int = 1) -> None:
        self.origin, self._signer = origin, Signer.of(origin, bytes([seed]) * 32)
        self._bodies = [entry.encode() for entry in entries]
        self._leaves = [merkle.leaf_hash(body) for body in self._bodies]

    @property
    def key(self) -> VerifierKey:
        return self._signer.verifier

    def root(self, size: int) -> bytes:
        return merkle.root(self._leaves[:size])

    def text(self, size: int) -> str:
        return decide.checkpoint_text(self.origin, size, self.root(size))

    def signed(self, text: str) -> str:
        return sign_note(text, self._signer)

    def note(self, size: int) -> str:
        return self.signed(self.text(size))

    def submission(self, old: int, new: int) -> bytes:
        path = merkle.consistency_proof(old, self._leaves[:new]) if 0 < old < new else []
        lines = [f"old {old}", *(decide.steps.encode(each) for each in path), "", self.note(new)]
        return "\n".join(lines).encode()

    def publish(self, folder: Path, size: int) -> Path:
        """Write its tiles and its checkpoint, as a web server would serve them."""
        tiles = Tiles(folder)
        tree = Tree(tiles, folder.with_name(f"{folder.name}-tree"))
        if size:
            tree.grow(enumerate(self._bodies[:size]), {size})
        tiles.write("checkpoint", self.note(size).encode())
        return folder


def peer_doors(ledger: Ledger) -> Litestar:
    """The doors that other logs knock at."""
    return Litestar(
        route_handlers=[StaticLog, WitnessDoors],
        dependencies={"ledger": Provide(lambda: ledger, sync_to_thread=False)},
        exception_handlers=problem_handlers(real_ids()),
        openapi_config=None,
        logging_config=None,
    )


class Net:
    """Who answers at which host: an application, or a function from request to response."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.hosts: dict[str, Callable[[httpx2.Request], httpx2.Response]] = {}
        self.asked: list[str] = []

    def serve(self, host: str, app: Litestar) -> None:
        client = self._stack.enter_context(TestClient(app))

        def answer(request: httpx2.Request) -> httpx2.Response:
            heard = client.request(request.method, request.url.path, content=request.content)
            return httpx2.Response(heard.status_code, headers=dict(heard.headers), content=heard.content)

        self.hosts[host] = answer

    def client(self, _seconds: float) -> httpx2.Client:
        return httpx2.Client(transport=httpx2.MockTransport(self._answer))

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(f"{request.method} {request.url}")
        if (answer := self.hosts.get(request.url.host)) is None:
            raise httpx2.ConnectError("nobody there")
        return answer(request)

    def close(self) -> None:
        self._stack.close()


def new_desk(
    name: str,
    folder: Path,
    net: Net,
    *,
    clock: Callable[[], datetime],
    new_id: NewId,
    chance: Callable[[int], bytes],
    policy: Path | None = None,
    sql: Sql | None = None,
) -> Desk:
    """A house of its own, on SQLite where nothing else is said, whose ledger is reached at its name."""
    folder.mkdir()
    if sql is None:
        sql = Sql(f"sqlite:///{folder / 'house.db'}")
        metadata.create_all(sql.engine, tables=list(ROOM.tables))
    keys = KeyStore(folder / "keys" / "ledger.key", name=f"{name}/log", chance=chance)
    cosigners = CosignerStore(folder / "keys" / "witness.key", name=f"{name}/witness", chance=chance)
    peers = Peers(cosigners=cosigners, folder=folder / "monitor", policy=policy, new_client=net.client)
    ledger = Ledger(
        sql,
        clock=clock,
        new_id=new_id,
        chance=chance,
        signer=keys,
        origin=f"{name}/log",
        tiles=folder / "log",
        peers=peers,
    )
    net.serve(name, peer_doors(ledger))
    return Desk(ledger=ledger, sql=sql, keys=keys, folder=folder / "log")


Hosts = Mapping[str, Callable[[httpx2.Request], httpx2.Response]]
