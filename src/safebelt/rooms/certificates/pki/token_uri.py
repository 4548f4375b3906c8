"""Names of keys in tokens: `pkcs11:` URIs (RFC 7512), read strictly.

>>> uri = read("pkcs11:token=house;object=issuing?module-path=/usr/lib/libtoken.so&pin-source=/etc/house/pin")
>>> uri.token, uri.label, str(uri.pin_source)
('house', 'issuing', '/etc/house/pin')
"""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote_from_bytes, unquote_to_bytes

from safebelt.kernel.errors import Invalid
from safebelt.rooms.certificates.pki import names

SCHEME = "pkcs11:"
MAX_CHARACTERS = 2048
_PATH, _QUERY = ("token", "serial", "object", "id", "type"), ("module-path", "pin-source", "pin-value")
_VALUE = re.compile(r"(?:[A-Za-z0-9\-._~:\[\]@!$'()*+,=&/]|%[0-9A-Fa-f]{2})+")  # RFC 7512, 2.3: both kinds together


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUri:
    """Which key in which token, by which module, and where its PIN is.

    Attributes:
        module: The token's PKCS#11 module, an absolute path.
        token: Label of the token; empty: not told.
        serial: Serial number of the token; empty: not told.
        label: Label of the key; empty: not told.
        key_id: Id of the key; empty: not told.
        pin_source: File that holds the PIN.
        pin: The PIN itself, where it stands in the URI.
    """

    module: Path
    token: str = ""
    serial: str = ""
    label: str = ""
    key_id: bytes = b""
    pin_source: Path | None = None
    pin: str | None = field(default=None, repr=False)

    def of_key(self, label: str, key_id: bytes) -> "TokenUri":
        """Return the URI of a key in the same token."""
        return replace(self, label=label, key_id=key_id)

    def as_text(self) -> str:
        """Return it as it is written down."""
        path = {"token": self.token.encode(), "serial": self.serial.encode(), "object": self.label.encode()}
        query = {"module-path": str(self.module), "pin-source": str(self.pin_source or ""), "pin-value": self.pin or ""}
        asked = {name: value.encode() for name, value in query.items()}
        return f"{SCHEME}{_joined({**path, 'id': self.key_id}, ';')}?{_joined(asked, '&')}"


def read(text: str) -> TokenUri:
    """Read a URI.

    Raises:
        Invalid: It is none, says something twice or something that is not known here, or names no token or no module.
    """
    if len(text) > MAX_CHARACTERS or not text.startswith(SCHEME):
        raise _refused("须以 pkcs11: 开头", "It must begin with pkcs11:")
    path, _, query = text.removeprefix(SCHEME).partition("?")
    told = {**_attributes(path, ";", _PATH), **_attributes(query, "&", _QUERY)}
    if told.get("type", b"private") != b"private":
        raise _refused("type 须为 private", "Its type must be private")
    uri = TokenUri(
        module=Path(_text(told, "module-path")),
        token=_text(told, "token"),
        serial=_text(told, "serial"),
        label=_text(told, "object"),
        key_id=told.get("id", b""),
        pin_source=_file(_text(told, "pin-source")),
        pin=_text(told, "pin-value") or None,
    )
    if not uri.module.is_absolute():
        raise _refused("须以 module-path 给出模块的绝对路径", "It must give the module's absolute module-path")
    if not (uri.token or uri.serial):
        raise _refused("须指明 token 或 serial", "It must name the token, or its serial number")
    if uri.pin is not None and uri.pin_source is not None:
        raise _refused("pin-source 与 pin-value 只能给出一个", "It may give pin-source or pin-value, not both")
    return uri


def _attributes(text: str, separator: str, known: tuple[str, ...]) -> dict[str, bytes]:
    """Take `name=value` pairs apart; what is not known is refused, as RFC 7512 section 2.3 asks."""
    found = dict[str, bytes]()
    for pair in filter(None, text.split(separator)):
        name, _, value = pair.partition("=")
        if name not in known:
            raise _refused(f"不支持属性 {name[:40]!r}", f"The attribute {name[:40]!r} is not known here")
        if name in found or not _VALUE.fullmatch(value):
            raise _refused(f"属性 {name} 重复或写法有误", f"The attribute {name} stands there twice, or is malformed")
        found[name] = unquote_to_bytes(value)
    return found


def _text(told: dict[str, bytes], name: str) -> str:
    try:
        found = told.get(name, b"").decode()
    except UnicodeDecodeError as error:
        raise _refused(f"属性 {name} 不是 UTF-8", f"The attribute {name} is not UTF-8") from error
    if not found.isprintable():
        raise _refused(f"属性 {name} 含有不可见字符", f"The attribute {name} holds an invisible character")
    return found


def _file(text: str) -> Path | None:
    """Return the file of a PIN, a path or a `file:` URI; commands and other schemes are refused."""
    path = Path(text.removeprefix("file://") if text.startswith("file:///") else text.removeprefix("file:"))
    if text and not path.is_absolute():
        raise _refused("pin-source 须为文件的绝对路径", "Its pin-source must be the absolute path of a file")
    return path if text else None


def _joined(told: dict[str, bytes], separator: str) -> str:
    safe = "/" if separator == "&" else ""
    return separator.join(f"{name}={quote_from_bytes(value, safe=safe)}" for name, value in told.items() if value)


def _refused(zh: str, en: str) -> Invalid:
    return names.problem(
        f"无法使用该 PKCS#11 密钥名称：{zh}。",
        f"This name of a key in a token cannot be used. {en}.",
        hint_zh="写法如 pkcs11:token=名称;object=密钥?module-path=/…/模块.so&pin-source=/…/pin（RFC 7512）。",
        hint_en="Write pkcs11:token=NAME;object=KEY?module-path=/…/module.so&pin-source=/…/pin (RFC 7512).",
        field="token",
    )
