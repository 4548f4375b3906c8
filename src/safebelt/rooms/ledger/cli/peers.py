"""Commands about other logs: `safebelt ledger witness …`, both ways, and `safebelt ledger monitor`."""

import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.ledger.cli.files import keys_of
from safebelt.rooms.ledger.model import Checkpoint, Sight, Sighting, Watched, Witness
from safebelt.rooms.ledger.service import Ledger, Monitor, real_client
from safebelt.web.terminal import DONE, NEGATIVE, NOT_EVALUATED, Answer

Key = Annotated[str, Parameter(name="--key")]

_SEEN = {
    Sight.FIRST: Text(zh="首次查看，已留存其检查点", en="seen for the first time; its checkpoint is kept"),
    Sight.SAME: Text(zh="与上次相同", en="the same as before"),
    Sight.GREW: Text(zh="只有追加，与上次一致", en="it only grew"),
    Sight.OLDER: Text(zh="回退：出示了较旧的检查点", en="rolled back: it shows an older checkpoint"),
    Sight.FORGED: Text(
        zh="伪造：检查点不是由该日志的公钥签署", en="forged: its checkpoint is not signed by the log's key"
    ),
    Sight.SPLIT: Text(zh="分裂视图：签署了相互矛盾的两份历史", en="split view: it signed two histories"),
    Sight.UNPROVEN: Text(
        zh="未能证明：其瓦片算不出已签署的根", en="unproven: its tiles do not lead to the root it signed"
    ),
    Sight.UNREACHABLE: Text(zh="无法查看", en="unreachable"),
}


def witness_group(ledger: Ledger) -> App:
    """Build the group `ledger witness`."""
    app = App(name="witness", help="Witness other logs, and be witnessed. 见证其他日志，也由他人见证。")
    _of_others(app, ledger)
    _of_us(app, ledger)
    return app


def _of_others(app: App, ledger: Ledger) -> None:
    @app.command
    def add(origin: str, *, key: Key) -> Answer:
        """Witness another log: cosign its checkpoints, as long as it only grows (key: its text, or a file)."""
        remembered = ledger.witnessing.add(origin, keys_of(key), by=OWNER)
        return Answer(
            data={"origin": origin, "remembered_as": remembered},
            says=Text(
                zh=f"开始见证 {origin}（记为 {remembered}）。请把 `witness key` 的输出交给对方。",
                en=f"{origin} is witnessed from now on (remembered as {remembered}). "
                "Give them what `witness key` prints.",
            ),
        )

    @app.command
    def remove(origin: str, *, reason: str) -> Answer:
        """Cease to witness another log; what was cosigned stays on record."""
        remembered = ledger.witnessing.remove(origin, reason=reason, by=OWNER)
        return Answer(
            data={"origin": origin, "remembered_as": remembered},
            says=Text(
                zh=f"不再见证 {origin}（记为 {remembered}）。",
                en=f"{origin} is witnessed no more (remembered as {remembered}).",
            ),
        )

    @app.command
    def key() -> Answer:
        """Print the keys we cosign with: Ed25519, and below it ML-DSA-44."""
        keys = [str(each) for each in ledger.witnessing.cosigner_keys()]
        lines = "\n".join(keys)
        return Answer(data={"keys": keys}, says=Text(zh=lines, en=lines))


def _of_us(app: App, ledger: Ledger) -> None:
    @app.command
    def ask(url: str, *, key: Key) -> Answer:
        """Ask a witness to cosign our checkpoints, and try it at once (key: its cosigner's keys, or a file of them)."""
        remembered = ledger.asking.ask(url, keys_of(key), by=OWNER)
        ledger.advance()
        ledger.asking.collect()
        asked = next(each for each in ledger.asking.witnesses() if each.url == url.rstrip("/"))
        zh, en = (_witness_line(asked, lang) for lang in LANGS)
        return Answer(
            data={**_witness_data(asked), "remembered_as": remembered},
            says=Text(zh=zh, en=en),
            exit_code=DONE if asked.size else NOT_EVALUATED,
        )

    @app.command
    def drop(url: str, *, reason: str) -> Answer:
        """Cease to ask a witness; what it cosigned stays."""
        remembered = ledger.asking.drop(url, reason=reason, by=OWNER)
        return Answer(
            data={"url": url, "remembered_as": remembered},
            says=Text(
                zh=f"不再请求 {url} 见证（记为 {remembered}）。",
                en=f"{url} is asked no more (remembered as {remembered}).",
            ),
        )

    @app.command(name="list")
    def list_() -> Answer:
        """List the logs that we witness, and the witnesses that we ask."""
        watched, witnesses = ledger.witnessing.watched(), ledger.asking.witnesses()
        zh, en = ("\n".join(_listed(watched, witnesses, lang)) for lang in LANGS)
        data = {"watched": list(map(_watched_data, watched)), "witnesses": list(map(_witness_data, witnesses))}
        return Answer(data=data, says=Text(zh=zh, en=en))


def _listed(watched: list[Watched], witnesses: list[Witness], lang: Lang) -> list[str]:
    ours = Text(zh="我们见证的日志：", en="Logs that we witness:").in_(lang)
    theirs = Text(zh="见证我们的：", en="Witnesses that we ask:").in_(lang)
    none = Text(zh="  尚无；用 `witness add` 添加。", en="  none yet; `witness add` adds one.").in_(lang)
    nobody = Text(zh="  尚无；用 `witness ask` 添加。", en="  none yet; `witness ask` adds one.").in_(lang)
    return [
        ours,
        *([_watched_line(each, lang) for each in watched] or [none]),
        theirs,
        *([_witness_line(each, lang) for each in witnesses] or [nobody]),
    ]


def _watched_line(log: Watched, lang: Lang) -> str:
    last = Text(zh="尚未联署", en="nothing cosigned yet")
    if log.at is not None:
        last = Text(
            zh=f"已联署至 {log.size}（{log.at:%Y-%m-%d %H:%M}Z）",
            en=f"cosigned to {log.size} ({log.at:%Y-%m-%d %H:%M}Z)",
        )
    return f"  {log.origin}  {last.in_(lang)}"


def _witness_line(witness: Witness, lang: Lang) -> str:
    size = witness.size
    cosigned = Text(zh=f"已联署至 {size}", en=f"it has cosigned to {size}")
    last = cosigned if size else Text(zh="尚未联署", en="it has cosigned nothing yet")
    trouble = "" if witness.trouble is None else f"  {witness.trouble.in_(lang)}"
    return f"  {witness.url}  {last.in_(lang)}{trouble}"


def _watched_data(log: Watched) -> dict[str, Any]:
    at = None if log.at is None else log.at.isoformat()
    return {"origin": log.origin, "keys": list(log.keys), "since": log.since.isoformat(), "size": log.size, "at": at}


def _witness_data(witness: Witness) -> dict[str, Any]:
    trouble = None if witness.trouble is None else {"zh": witness.trouble.zh, "en": witness.trouble.en}
    since = witness.since.isoformat()
    return {
        "url": witness.url,
        "keys": list(witness.keys),
        "since": since,
        "size": witness.size,
        "trouble": trouble,
    }


def add_monitor(app: App) -> None:
    """Add `monitor`, which needs no ledger: whoever watches a log need not keep one."""

    @app.command
    def monitor(
        place: str,
        *,
        key: Key,
        state: Path | None = None,
        also: tuple[str, ...] = (),
        once: Annotated[bool, Parameter(negative="")] = False,
        every: float = 60.0,
    ) -> Answer:
        """Watch another log: exits 1 as soon as it is rolled back, forged or split; 3 where it cannot be seen.

        Parameters
        ----------
        place
            Address of the log's prefix (https://host/log), or a folder with its files.
        key
            The log's public key: its text, or a file with one or more.
        state
            File that keeps the last checkpoint; evidence is written beside it. By default in this folder.
        also
            Files or addresses of checkpoints that others were shown; each is compared.
        once
            Look once and say what was seen.
        every
            Seconds between two looks.
        """
        kept = state or Path(f"monitored-{sha256(place.encode()).hexdigest()[:16]}.note")
        watcher = Monitor(place, keys_of(key), kept, new_client=real_client)
        while True:
            seen = watcher.look(also)
            answer = _sightings(seen, watcher)
            if once or answer.exit_code == NEGATIVE:
                return answer
            sys.stderr.write(f"{answer.says.en}\n")
            time.sleep(max(every, 1.0))


def _sightings(seen: list[Sighting], monitor: Monitor) -> Answer:
    verdicts = [each.sight.holds for each in seen]
    exit_code = DONE
    if Truth.FALSE in verdicts:
        exit_code = NEGATIVE
    elif Truth.UNKNOWN in verdicts:
        exit_code = NOT_EVALUATED
    zh, en = ("\n".join(_sighting_line(each, monitor, lang) for each in seen) for lang in LANGS)
    data = [_sighting_data(each, monitor) for each in seen]
    return Answer(data=data, says=Text(zh=zh, en=en), exit_code=exit_code)


def _sighting_line(seen: Sighting, monitor: Monitor, lang: Lang) -> str:
    sizes = f"{_size(seen.kept)} → {_size(seen.shown)}"
    line = f"{seen.place}: {_SEEN[seen.sight].in_(lang)} ({sizes})"
    if seen.says is not None:
        line += f"\n  {seen.says.in_(lang)}"
    if seen.evidence:
        kept = Text(zh="  证据：", en="  evidence: ").in_(lang)
        line += f"\n{kept}{monitor.evidence_file(seen)}"
    return line


def _sighting_data(seen: Sighting, monitor: Monitor) -> dict[str, Any]:
    return {
        "sight": seen.sight.value,
        "place": seen.place,
        "kept": None if seen.kept is None else seen.kept.size,
        "shown": None if seen.shown is None else seen.shown.size,
        "evidence": str(monitor.evidence_file(seen)) if seen.evidence else None,
        "says": None if seen.says is None else {"zh": seen.says.zh, "en": seen.says.en},
    }


def _size(checkpoint: Checkpoint | None) -> str:
    return "-" if checkpoint is None else str(checkpoint.size)
