"""Other logs, where they are: at an address, or in a folder."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from safebelt.kernel.errors import Problem, Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.ledger import decide
from safebelt.rooms.ledger.tiles import Missing, Reader

if TYPE_CHECKING:
    import httpx2

NewClient = Callable[[float], "httpx2.Client"]
"""Makes an HTTP client that waits so many seconds for the next piece of an answer."""

Fetch = Callable[[str], bytes]
"""The bytes at a path below the log's prefix; raises `Missing` or `Unavailable`."""

_TILE_BYTES = 256 * 32
_ANSWER_SECONDS = 15.0
_HTTP_OK = 200
_GONE = (404, 410)
_URL_CHARS = 500


def real_client(read_seconds: float) -> "httpx2.Client":
    """Return the house's HTTP client."""
    from safebelt.engines.http import client  # noqa: PLC0415  only who asks others needs one

    return client(read_seconds=read_seconds, connections=2)


def is_address(place: str) -> bool:
    """Whether a place is an address we would ask: http or https, with nothing in it that could be a secret."""
    try:
        parts = urlsplit(place)
        is_plain = not (parts.username or parts.password or parts.query or parts.fragment)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and is_plain and len(place) <= _URL_CHARS
    except ValueError:
        return False


class Elsewhere(Reader):
    """The files of another log.  Nothing of them is believed.

    Args:
        fetch: Reads a path below its prefix.
    """

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    def read(self, path: str) -> bytes:
        """Return a tile.

        Raises:
            Missing: It is not there.
            Unavailable: Nobody answers.
        """
        return self._fetch(path)

    def note(self) -> str:
        """Return its checkpoint as it is published.

        Raises:
            Unavailable: There is none, or nobody answers.
            ValueError: It is not UTF-8.
        """
        try:
            return self._fetch("checkpoint").decode("utf-8")
        except Missing as missing:
            raise _unavailable("checkpoint", Text(zh="不存在", en="it is not there")) from missing


@contextmanager
def open_log(place: str, new_client: NewClient) -> Iterator[Elsewhere]:
    """Open another log at an address, or in a folder, for as long as the block runs."""
    if is_address(place):
        with new_client(_ANSWER_SECONDS) as calls:
            yield Elsewhere(_by_http(calls, place.rstrip("/")))
    else:
        yield Elsewhere(_in_folder(Path(place)))


def read_note_at(place: str, new_client: NewClient) -> str:
    """Return a checkpoint somebody else holds: a file, or the whole address of one; of a proof, its checkpoint.

    Raises:
        Unavailable: It cannot be had.
    """
    try:
        if is_address(place):
            with new_client(_ANSWER_SECONDS) as calls:
                data = _by_http(calls, place)("")
        else:
            data = _in_folder(Path(place))("")
        text = data.decode("utf-8")
    except Missing as missing:
        raise _unavailable(place, Text(zh="不存在", en="it is not there")) from missing
    except UnicodeDecodeError as error:
        raise _unavailable(place, Text(zh="不是 UTF-8 文本", en="it is not UTF-8 text")) from error
    return text.partition("\n\n")[2] if text.startswith("c2sp.org/tlog-proof@v1\n") else text


def _by_http(calls: "httpx2.Client", prefix: str) -> Fetch:
    def fetch(path: str) -> bytes:
        from safebelt.engines.http import fetch as call  # noqa: PLC0415  only who asks others needs a client

        answer = call(calls, "GET", f"{prefix}/{path}" if path else prefix, max_bytes=_limit(path))
        if answer.status_code in _GONE:
            raise Missing(path)
        if answer.status_code != _HTTP_OK:
            raise _unavailable(path or prefix, Text(zh=f"回答 {answer.status_code}", en=f"status {answer.status_code}"))
        return answer.content

    return fetch


def _in_folder(folder: Path) -> Fetch:
    def fetch(path: str) -> bytes:
        limit = _limit(path)
        try:
            with (folder / path).open("rb") as file:
                data = file.read(limit + 1)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Missing(path) from error
        except OSError as error:
            raise _unavailable(path, Text(zh=str(error.strerror), en=str(error.strerror))) from error
        if len(data) > limit:
            raise _unavailable(path, Text(zh="过大", en="it is too large"))
        return data

    return fetch


def _limit(path: str) -> int:
    return _TILE_BYTES if path.startswith("tile/") else decide.MAX_SUBMISSION_BYTES


def _unavailable(what: str, why: Text) -> Problem:
    return Unavailable(
        what=Text(zh=f"无法读取 {what}：{why.zh}。", en=f"{what} cannot be read: {why.en}."),
        hint=Text(zh="请核对地址或文件夹，然后重试。", en="Check the address or folder, then try again."),
    )
