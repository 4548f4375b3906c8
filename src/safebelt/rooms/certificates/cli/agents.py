"""`safebelt certificates agent …`: the identity of a service that does not share this house's disk.

Nothing here opens a database: the key is made and stays in the folder, and the authority is asked over its API.
"""

import time
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from safebelt.engines.clock import real_chance, wall_clock
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.kernel.text import LANGS, Text
from safebelt.rooms.certificates.decide.challenging import place_of
from safebelt.rooms.certificates.decide.renewal import bearing, due_at
from safebelt.rooms.certificates.model import BEARINGS, Bearing, Carried
from safebelt.rooms.certificates.service import Agent, Elsewhere, read_note
from safebelt.web.terminal import DONE, NEGATIVE, NOT_EVALUATED, Answer, read_text

Folder = Annotated[Path, Parameter(help="Where its key and certificate lie: one folder for one system.")]
_LOOK_SECONDS = 60.0
_EXITS = {
    Bearing.GOOD: DONE,
    Bearing.DUE: NOT_EVALUATED,
    Bearing.TAKEN_BACK: NEGATIVE,
    Bearing.OVER: NEGATIVE,
    Bearing.NONE: NOT_EVALUATED,
}
_TOKEN_BYTES = 1000


def agent_group() -> App:
    """Build the group `agent`."""
    app = App(name="agent", help="The identity of a service elsewhere: key, certificate, renewal. 身份代理。")

    @app.command
    def enrol(
        system: str,
        *,
        authority: Annotated[str, Parameter(help="Address of the house that certifies, https://….")],
        place: Annotated[str, Parameter(help="Where callers reach the service; stands in what it signs.")],
        folder: Folder,
        token_file: Annotated[Path, Parameter(help="A file with an operator's API token; - is standard input.")],
        days: Annotated[int, Parameter(help="How long a certificate is asked for, 1 to 90.")] = 90,
    ) -> Answer:
        """Make a key here and have a first certificate issued for it; only this asks for a token.

        The key never leaves the folder.  Afterwards `agent renew`, or a belt with this folder, renews by itself.
        """
        wanted = Carried(system_id=system, place=place_of(place), authority=authority.rstrip("/"), days=days)
        token = read_text(token_file, limit=_TOKEN_BYTES).strip()
        if not (token and token.isascii() and token.isprintable() and " " not in token):
            raise _no_token()
        return _said(_agent(folder, wanted, token).begin())

    @app.command
    def renew(
        *,
        folder: Folder,
        wait: Annotated[bool, Parameter(help="Go on for ever, looking once a minute.", negative="")] = False,
    ) -> Answer:
        """Renew the certificate where it is due, with the key it names; no token is needed.

        Exits 0 where it is in its time, 3 where it is due and could not be renewed, 1 where it is over, suspended or
        revoked.
        """
        noted = _noted(folder)
        if not noted.authority:
            raise _of_the_house(noted.system_id)
        agent = _agent(folder, noted, "")
        agent.look()
        while wait:  # until a signal ends it; the folder says how it stands meanwhile
            time.sleep(_LOOK_SECONDS)
            agent.look()
        return _said(agent.carried)

    @app.command
    def status(*, folder: Folder) -> Answer:
        """Show the certificate in use, when it is due, and why it was not renewed if it was not."""
        return _said(_noted(folder))

    return app


def _agent(folder: Path, wanted: Carried, token: str) -> Agent:
    from safebelt.engines.http import client  # noqa: PLC0415  `status` calls nobody

    authority = Elsewhere(wanted.authority, new_client=client, token=token)
    return Agent(folder, wanted, authority, clock=wall_clock, chance=real_chance)


def _noted(folder: Path) -> Carried:
    found = read_note(folder)
    if found is None:
        raise NotFound(
            what=Text(zh=f"“{folder}”中没有身份。", en=f"There is no identity in {str(folder)!r}."),
            hint=Text(
                zh="请先运行 `safebelt certificates agent enrol`。", en="Run `safebelt certificates agent enrol` first."
            ),
        )
    return found


def _said(now: Carried) -> Answer:
    stands = bearing(now, wall_clock())
    lines = {lang: [f"{now.system_id}  {BEARINGS[stands].in_(lang)}  {now.serial}", f"  {now.place}"] for lang in LANGS}
    data = msgspec.to_builtins(now) | {"state": stands.value}
    if now.not_before and now.not_after:
        due, ends = due_at(now.not_before, now.not_after, now.serial), now.not_after
        data["due_at"] = due.isoformat()
        lines["zh"].append(f"  {due:%Y-%m-%d %H:%M} 起换发，{ends:%Y-%m-%d %H:%M} 到期（UTC）")
        lines["en"].append(f"  renewed from {due:%Y-%m-%d %H:%M}, ends {ends:%Y-%m-%d %H:%M} UTC")
    if now.problem:
        lines["zh"].append(f"  已失败 {now.failures} 次：{now.problem.zh}")
        lines["en"].append(f"  failed {now.failures} times: {now.problem.en}")
    says = Text(zh="\n".join(lines["zh"]), en="\n".join(lines["en"]))
    return Answer(data=data, says=says, exit_code=_EXITS[stands])


def _of_the_house(system_id: str) -> Conflict:
    return Conflict(
        what=Text(
            zh=f"{system_id} 的身份由本平台的安全带自行换发。",
            en=f"The identity of {system_id} is renewed by the belt of this very house.",
        ),
        hint=Text(
            zh="让安全带运行即可；其页面和 /health 会说明状态。",
            en="Let the belt run; its page and its /health say how it stands.",
        ),
    )


def _no_token() -> Invalid:
    return Invalid(
        what=Text(zh="文件里没有令牌。", en="There is no token in the file."),
        hint=Text(
            zh="请在签发机构的平台上运行 `safebelt access tokens issue --user 名称`，把令牌单独写入文件。",
            en="At the authority's house run `safebelt access tokens issue --user NAME`; put the token into it alone.",
        ),
        details={"field": "token_file"},
    )
