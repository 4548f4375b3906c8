"""Two tools for a stranger who has a receipt and the log's public key: a page and a Python file, each one file.

They work offline and share no code with the house, nor with each other: three judges, whom tests hold to one answer.
"""

import base64
import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

PAGE = "verifier.html"
SCRIPT = "safebelt_verify.py"
_MEDIA_TYPES = {PAGE: "text/html", SCRIPT: "text/x-python"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One of the files: its name, bytes, media type, and the hex SHA-256 that people compare."""

    name: str
    body: bytes
    media_type: str
    sha256: str


@cache
def tools() -> dict[str, Tool]:
    """Return both files by name, read once."""
    folder = files("safebelt.rooms.ledger.verifier")
    return {name: _tool(name, (folder / name).read_bytes()) for name in _MEDIA_TYPES}


def _tool(name: str, body: bytes) -> Tool:
    return Tool(name=name, body=body, media_type=_MEDIA_TYPES[name], sha256=sha256(body).hexdigest())


def page_policy(html: str) -> str:
    """Return the content security policy of the page: its own inline script and style, by hash, and nothing else.

    The page says the same of itself, for where no server speaks for it (W3C Content Security Policy Level 3).
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hashed(html, 'script')}",
            f"style-src {_hashed(html, 'style')}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
        )
    )


def _hashed(html: str, tag: str) -> str:
    inside = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
    return " ".join(f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'" for text in inside)


def write_tools(folder: Path) -> list[Path]:
    """Write both files to a folder, which is made where it is missing.

    Raises:
        OSError: The folder or a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for tool in tools().values():
        path = folder / tool.name
        path.write_bytes(tool.body)
        paths.append(path)
    return paths
