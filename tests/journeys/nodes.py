"""Machines of their own: network namespaces joined by a bridge, where this system lets us make them.

Where it does not (no root, no `ip netns`), the nodes are processes beside each other, and the only line that can be cut
is the bus itself; `Net.is_real` says which.

`python -m tests.journeys.nodes ask PORT KEY` answers each line on its input with what the belt said.
`python -m tests.journeys.nodes tap URL` prints every message on the command bus; a line `SUBJECT BASE64` is published.
"""

import asyncio
import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx2
from tests.journeys.home import PLAIN, Home
from tests.ports import free_port

HANG_SECONDS = 180.0


class Net:
    """A bridge and namespaces on it: `hub` holds the bus, each node its own processes."""

    def __init__(self, names: Sequence[str]) -> None:
        self._mark = f"sb{os.getpid() % 100000}"
        self._subnet = f"10.{os.getpid() % 200 + 20}.{os.getpid() // 200 % 200}"
        self._names = ["hub", *names]
        self.is_real = self._make()

    def _make(self) -> bool:
        if shutil.which("ip") is None or not _did("ip", "netns", "add", self._space("hub")):
            return False
        try:
            self._join()
        except subprocess.CalledProcessError:  # namespaces, but no bridge or no pairs of cards between them
            self._remove()
            return False
        return True

    def _join(self) -> None:
        _ip("-n", self._space("hub"), "link", "add", "br0", "type", "bridge")
        _ip("-n", self._space("hub"), "addr", "add", f"{self._subnet}.1/24", "dev", "br0")
        _ip("-n", self._space("hub"), "link", "set", "br0", "up")
        for number, name in enumerate(self._names[1:], start=2):
            _ip("netns", "add", self._space(name))
            there, here = self._space(name), self._space("hub")
            _ip("-n", here, "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", there)
            _ip("-n", here, "link", "set", name, "master", "br0", "up")
            _ip("-n", there, "addr", "add", f"{self._subnet}.{number}/24", "dev", "eth0")
            _ip("-n", there, "link", "set", "eth0", "up")
        for name in self._names:
            _ip("-n", self._space(name), "link", "set", "lo", "up")

    def _remove(self) -> None:
        for name in self._names:
            _did("ip", "netns", "del", self._space(name))

    def _space(self, name: str) -> str:
        return f"{self._mark}-{name}"

    @property
    def hub(self) -> str:
        return f"{self._subnet}.1" if self.is_real else "127.0.0.1"

    def inside(self, name: str) -> list[str]:
        """Return what a command begins with to run in a namespace."""
        return ["ip", "netns", "exec", self._space(name)] if self.is_real else []

    def plug(self, name: str, *, is_in: bool) -> None:
        """Pull a node's cable, or put it back."""
        _ip("-n", self._space("hub"), "link", "set", name, "up" if is_in else "down")

    def close(self) -> None:
        if self.is_real:
            self._remove()


def _did(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


class Node(Home):
    """A house in a namespace."""

    def __init__(self, net: Net, name: str, folder: Path, **settings: str) -> None:
        super().__init__(folder / name / "home", **settings)
        self.net, self.name = net, name
        self._started: list[subprocess.Popen[Any]] = []

    def run(self, *arguments: str, timeout: float = 180) -> subprocess.CompletedProcess[str]:
        command = [*self.net.inside(self.name), sys.executable, "-m", "safebelt", *arguments]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, timeout=timeout, check=False)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder.parent / f"{arguments[-1]}.log").open("ab") as log:
            command = [*self.net.inside(self.name), sys.executable, "-m", "safebelt", *arguments]
            process = subprocess.Popen(command, env=self.env, stdout=log, stderr=log)
        self._started.append(process)
        return process

    def talk(self, *module: str) -> subprocess.Popen[str]:
        """Start one of the tests' own programs beside the node's processes."""
        command = [*self.net.inside(self.name), sys.executable, "-m", *module]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._started.append(process)
        return process

    def end(self) -> None:
        for process in reversed(self._started):
            process.terminate()
        for process in reversed(self._started):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


class Lines:
    """A program that answers a line with a line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, line: str = "") -> Any:
        """Say a line and return what comes back, from JSON."""
        self.say(line)
        return self.hear()

    def say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def is_silent(self, seconds: float) -> bool:
        """Whether nothing comes back for so long; call where every line that came was heard."""
        return not select.select([self._process.stdout], [], [], seconds)[0]

    def hear(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the program has ended"
        return json.loads(line)


class Bus:
    """A real NATS server in the hub, which can be killed and started again."""

    def __init__(self, net: Net, folder: Path) -> None:
        self._net, self._folder, self.port = net, folder, free_port()
        self.url = f"nats://{net.hub}:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = Path(sysconfig.get_path("scripts")) / "nats-server"
        flags = ["--jetstream", "--store_dir", str(self._folder), "--addr", self._net.hub, "--port", str(self.port)]
        with (self._folder / "nats.log").open("ab") as log:
            self._process = subprocess.Popen([*self._net.inside("hub"), program, *flags], stdout=log, stderr=log)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextlib.contextmanager
def net_of(*names: str) -> Iterator[Net]:
    """Have a network of these nodes meanwhile."""
    net = Net(names)
    try:
        yield net
    finally:
        net.close()


def _asked(port: str, key: str) -> None:
    body, headers = {"messages": [{"role": "user", "content": "hi"}]}, {"authorization": f"Bearer {key}"}
    for _ in sys.stdin:
        try:
            url = f"http://127.0.0.1:{port}/v1/chat/completions"
            answer = httpx2.post(url, json=body, headers=headers, timeout=120, verify=PLAIN)
            said = {"status": answer.status_code, "code": answer.json().get("error", {}).get("code", "")}
        except httpx2.HTTPError as error:
            said = {"status": 0, "code": repr(error)}
        _say(said | {"at": time.time()})


async def _tap(url: str) -> None:
    from nats.aio.client import Client

    client = Client()
    await client.connect(url, max_reconnect_attempts=-1, reconnect_time_wait=1)

    async def heard(message: Any) -> None:
        _say({"subject": message.subject, "data": base64.b64encode(message.data).decode()})

    await client.subscribe("safebelt.orders.*", cb=heard)
    await client.flush()
    while line := await asyncio.to_thread(sys.stdin.readline):
        subject, _, data = line.strip().partition(" ")
        await client.publish(subject, base64.b64decode(data))
        await client.flush()


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1] == "ask":
        _asked(sys.argv[2], sys.argv[3])
    else:
        asyncio.run(_tap(sys.argv[2]))
