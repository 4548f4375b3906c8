"""`safebelt up`: everything on one machine with one command, kept running until it is told to end."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx2

from safebelt.app import House
from safebelt.engines.garbage import building
from safebelt.engines.http import own_ports_tls
from safebelt.engines.models.local import MODEL_NAME, find_model
from safebelt.engines.supervisor import ChildSpec, OnlyOne, Supervisor, holder_of
from safebelt.kernel.errors import Conflict, Unavailable
from safebelt.kernel.text import Text
from safebelt.run.belt import server_tls
from safebelt.run.belts import belt_children, hold_port_free
from safebelt.run.demo import Demo, prepare_demo

_READY_SECONDS = 180.0
"""A cold first start takes 8 s, on a crowded core 60 s; beyond this something is wrong, and the logs say what."""
_PID_FILE = "safebelt.pid"
_FIRST_QUESTION = "In one short sentence: what is a safety belt?"


def run_up(house: House, say: Callable[[Text], None]) -> None:
    """Start everything, wait until the model has answered through the belt, and keep it running.

    Args:
        house: The house.
        say: Prints one message to the person at the terminal.

    Raises:
        Conflict: It is running already.
        Unavailable: It did not become ready.
    """
    claim = _claim(house)
    try:
        is_local = not house.settings.upstream
        with building():
            _check(house, is_local=is_local)
            _first_password(house, say)
            demo = prepare_demo(house)
            house.ledger.advance()
        supervisor = _supervisor(house, is_local=is_local, say=say)
        supervisor.start()
        try:
            _get_ready(house, supervisor, is_local=is_local)
            if not supervisor.is_ending:  # beside the supervisor, which must not look away while a model thinks
                threading.Thread(target=_first_screen, args=(house, demo, say), daemon=True).start()
            supervisor.run_until(lambda: False)
            say(Text(zh="正在停止……", en="Stopping …"))
        finally:
            supervisor.end()
    finally:
        claim.release()


def _check(house: House, *, is_local: bool) -> None:
    """Meet what would keep a child from starting, here, where somebody reads it.

    Raises:
        Problem: A port is taken; or model, policy, signing key, provider code or TLS files cannot be used.
    """
    settings = house.settings
    if is_local:
        find_model()
        hold_port_free("127.0.0.1", settings.model_port, "SAFEBELT_MODEL_PORT")
    hold_port_free(settings.bind, settings.console_port, "SAFEBELT_CONSOLE_PORT")
    hold_port_free(settings.bind, settings.belt_port, "SAFEBELT_BELT_PORT")
    house.keys.current()
    house.labelling.generated("rec_0")
    house.belt.open_policies()
    try:
        server_tls(house)
    except (OSError, ValueError) as error:
        raise Unavailable(
            what=Text(zh=f"TLS 证书或私钥无法使用：{error}", en=f"The TLS certificate or key cannot be used: {error}."),
            hint=Text(
                zh="请检查 SAFEBELT_TLS_CERT 和 SAFEBELT_TLS_KEY（PEM 格式）。",
                en="Check SAFEBELT_TLS_CERT and SAFEBELT_TLS_KEY (PEM files that belong together).",
            ),
        ) from error


def run_down(house: House) -> bool:
    """End a running house; return whether there was one."""
    pid = running_pid(house)
    if not pid:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 30
    while running_pid(house) and time.monotonic() < deadline:
        time.sleep(0.1)
    return True


def running_pid(house: House) -> int:
    """Return the process id of the running house, or 0."""
    return holder_of(house.settings.home / _PID_FILE)


def _claim(house: House) -> OnlyOne:
    house.settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        return OnlyOne(house.settings.home / _PID_FILE)
    except BlockingIOError as error:
        pid = running_pid(house)
        raise Conflict(
            what=Text(zh=f"Safebelt 已在运行（进程 {pid}）。", en=f"Safebelt is running already (process {pid})."),
            hint=Text(
                zh="先运行 `make down`，或另设 SAFEBELT_HOME。",
                en="Run `make down` first, or set another SAFEBELT_HOME.",
            ),
        ) from error


def _supervisor(house: House, *, is_local: bool, say: Callable[[Text], None]) -> Supervisor:
    serve = ("-m", "safebelt", "serve")
    children = [
        ChildSpec(name="work", argv=(*serve, "work")),
        *belt_children(house, house.settings.belt_workers),
        ChildSpec(name="console", argv=(*serve, "console")),
    ]
    if house.settings.bus:
        children.insert(1, ChildSpec(name="orders", argv=(*serve, "orders")))
    if is_local:
        children.insert(0, ChildSpec(name="model", argv=(*serve, "model")))
    return Supervisor(children, logs=house.settings.home / "log", say=lambda what: say(Text(zh=what, en=what)))


def _get_ready(house: House, supervisor: Supervisor, *, is_local: bool) -> None:
    """Wait until every part answers."""
    settings = house.settings
    wanted = [f"{settings.url(settings.console_port)}/health", f"{settings.url(settings.belt_port)}/health"]
    if is_local:
        wanted.append(f"http://127.0.0.1:{settings.model_port}/health")
    deadline = time.monotonic() + _READY_SECONDS

    def is_ready() -> bool:
        if time.monotonic() > deadline:
            raise Unavailable(
                what=Text(
                    zh=f"启动超时：{wanted[0]} 没有应答。", en=f"Not ready in time: {wanted[0]} does not answer."
                ),
                hint=Text(zh=f"请查看 {settings.home / 'log'}。", en=f"Read the logs in {settings.home / 'log'}."),
            )
        while wanted and _answers(wanted[0]):
            del wanted[0]
        return not wanted

    supervisor.run_until(is_ready)


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, timeout=0.5, verify=own_ports_tls()).status_code == httpx2.codes.OK
    except httpx2.HTTPError:
        return False


def _first_password(house: House, say: Callable[[Text], None]) -> None:
    """Make the first administrator where there is none, and show the password at once: nothing can lose it then."""
    secret = house.access.first_run()
    if secret:
        zh = f"管理员：admin　首次密码（只显示这一次）：{secret}"
        say(Text(zh=zh, en=f"Administrator: admin   first password (shown this once): {secret}"))


def _first_screen(house: House, demo: Demo, say: Callable[[Text], None]) -> None:
    """Ask the model a first question through the belt, then say where everything is."""
    settings = house.settings
    console, belt = settings.url(settings.console_port), settings.url(settings.belt_port)
    say(Text(zh=f"控制台　{console}/zh/", en=f"Console   {console}/en/"))
    say(
        Text(
            zh=f"安全带　{belt}/v1　密钥在 {demo.key_file}",
            en=f"Belt      {belt}/v1   its key is in {demo.key_file}",
        )
    )
    say(Text(zh=f"上游　　{settings.upstream_url}", en=f"Upstream  {settings.upstream_url}"))
    if settings.upstream:
        say(
            Text(
                zh="观察模式：只记录不改动；可在控制台一键改为执行。",
                en="Observing: nothing is changed, what would be done is recorded; one click in the console enforces.",
            )
        )
        return
    answer = first_answer(house, demo)
    say(Text(zh=f"模型经安全带答道：{answer}", en=f"Through the belt the model answers: {answer}"))


def first_answer(house: House, demo: Demo) -> str:
    """Ask the local model one question through the belt and return its answer, or what went wrong."""
    url = f"{house.settings.url(house.settings.belt_port)}/v1/chat/completions"
    body = {"model": MODEL_NAME, "max_tokens": 60, "messages": [{"role": "user", "content": _FIRST_QUESTION}]}
    headers = {"authorization": f"Bearer {demo.key_file.read_text().strip()}"}
    try:
        answer = httpx2.post(url, json=body, headers=headers, timeout=60, verify=own_ports_tls())
        said = answer.json()
    except (httpx2.HTTPError, ValueError) as error:
        return f"({error})"
    if answer.status_code != httpx2.codes.OK:
        return f"({said.get('error', {}).get('message', answer.status_code)})"
    return " ".join(str(said["choices"][0]["message"]["content"]).split())


def to_terminal(lang: Any) -> Callable[[Text], None]:
    """Return what prints messages in a language, at once."""

    def say(text: Text) -> None:
        sys.stdout.write(f"{text.in_(lang)}\n")
        sys.stdout.flush()

    return say
