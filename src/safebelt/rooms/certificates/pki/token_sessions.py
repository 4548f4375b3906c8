"""Sessions with tokens (PKCS#11): opened when needed, opened again when lost, and clear words where that fails."""

import os
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from safebelt.engines.signing import files
from safebelt.kernel.errors import Problem, Refused, Unavailable
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.pki.token_uri import TokenUri

_PIN_REMEDY = Text(zh="如可能已泄露，请更换令牌的 PIN。", en="If it may have been read, change the token's PIN.")
_LOST = frozenset({"DeviceRemoved", "SessionHandleInvalid", "SessionClosed", "TokenNotPresent", "UserNotLoggedIn"})
_PINS = frozenset({"PinIncorrect", "PinLocked", "PinInvalid", "PinLenRange", "PinExpired"})
T = TypeVar("T")


def ask(uri: TokenUri, deed: Callable[[Any], T]) -> T:
    """Do something with a session of the token a URI names, logged in.

    Raises:
        Refused: The PIN is wrong, or its file is open to others.
        Unavailable: Module or token is not there, or the token refuses.
    """
    # One desk in each process: sessions do not survive a fork (PKCS#11 2.40, 2.6.1).
    place = (os.getpid(), uri.module, uri.token, uri.serial, uri.pin_source, uri.pin)
    with _desks_lock:
        desk = _desks.setdefault(place, _Desk(uri))
    return desk.do(deed)


class _Desk:
    """One token and a session with it, opened when first needed and again when it was lost; one deed at a time."""

    def __init__(self, uri: TokenUri) -> None:
        self._uri, self._session, self._lock = uri, None, threading.RLock()

    def do(self, deed: Callable[[Any], T]) -> T:
        """Do something with the session.

        Raises:
            Refused: The PIN is wrong, or its file is open to others.
            Unavailable: Module, token or key is not there, or the token refuses.
        """
        errors = library(self._uri).exceptions
        with self._lock:
            was_open = self._session is not None
            try:
                return deed(self._opened())
            except errors.PKCS11Error as error:
                self._close()
                if not (was_open and type(error).__name__ in _LOST):
                    raise _failed(self._uri, error) from error
            try:
                return deed(self._opened())
            except errors.PKCS11Error as error:
                self._close()
                raise _failed(self._uri, error) from error

    def _opened(self) -> Any:
        if self._session is None:
            token, pin = self._token(), _pin(self._uri)
            try:
                self._session = token.open(rw=True, user_pin=pin)
            except library(self._uri).exceptions.UserAlreadyLoggedIn:  # a program logs in once, whatever its sessions
                self._session = token.open(rw=True)
        return self._session

    def _token(self) -> Any:
        wanted = {"token_label": self._uri.token or None, "token_serial": self._uri.serial.encode() or None}
        found = list(_module(self._uri).get_tokens(**{name: value for name, value in wanted.items() if value}))
        if len(found) != 1:
            told = Text(zh="没有插入", en="is not there") if not found else Text(zh="不止一个", en="is there twice")
            raise unavailable(self._uri, f"这样的令牌{told.zh}", f"such a token {told.en}")
        return found[0]

    def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            try:
                session.close()
            except library(self._uri).exceptions.PKCS11Error:
                return  # it was lost already


_desks: dict[tuple[int, Path, str, str, Path | None, str | None], _Desk] = {}
_desks_lock = threading.Lock()


def library(uri: TokenUri) -> Any:
    """Return the package that speaks PKCS#11; it is an optional one, and only loaded where a key is in a token.

    Raises:
        Unavailable: It is not installed.
    """
    try:
        return import_module("pkcs11")
    except ImportError as error:
        raise unavailable(uri, "未安装 python-pkcs11", "the package python-pkcs11 is not installed") from error


def _module(uri: TokenUri) -> Any:
    found = library(uri)
    try:
        return found.lib(str(uri.module))
    except (RuntimeError, OSError) as error:
        raise unavailable(
            uri, f"模块 {uri.module} 无法加载", f"the module {uri.module} cannot be loaded: {error!r}"
        ) from error


def _pin(uri: TokenUri) -> str:
    """Return the PIN.

    Raises:
        Refused: Others may read its file.
        Unavailable: There is none.
    """
    if uri.pin is not None:
        return uri.pin
    if uri.pin_source is None:
        raise unavailable(uri, "没有给出 PIN（pin-source）", "no PIN was given (pin-source)")
    try:
        files.guard(uri.pin_source, _PIN_REMEDY)
        return uri.pin_source.read_text("utf-8").strip("\r\n")
    except (OSError, ValueError) as error:
        raise unavailable(
            uri, f"PIN 文件 {uri.pin_source} 无法读取", f"the PIN's file {uri.pin_source} cannot be read"
        ) from error


def _failed(uri: TokenUri, error: Exception) -> Problem:
    """Say what a token refused, in words."""
    name = type(error).__name__
    if name not in _PINS:
        return unavailable(uri, f"令牌报告 {name}", f"the token says {name}")
    return Refused(
        what=Text(
            zh=f"令牌 {uri.token or uri.serial} 不接受该 PIN（{name}）。",
            en=f"The token {uri.token or uri.serial} does not accept the PIN ({name}).",
        ),
        hint=Text(
            zh="请核对 pin-source。多次出错会锁定令牌，因此不会自动重试。",
            en="Check pin-source. Too many mistakes lock a token, so nothing tries again by itself.",
        ),
    )


def unavailable(uri: TokenUri, zh: str, en: str) -> Problem:
    """Return the problem of a key that cannot be used."""
    return Unavailable(
        what=Text(
            zh=f"无法使用令牌 {uri.token or uri.serial} 中的密钥{_quoted(uri)}：{zh}。",
            en=f"The key{_quoted(uri)} in the token {uri.token or uri.serial} cannot be used: {en}.",
        ),
        hint=Text(
            zh="请插入令牌，并核对密钥文件中的 pkcs11: 名称（模块、令牌、密钥、PIN 文件）。",
            en="Put the token in, and check the pkcs11: name in the key's file: module, token, key, file of the PIN.",
        ),
    )


def _quoted(uri: TokenUri) -> str:
    named = uri.label or uri.key_id.hex()
    return f" “{named}”" if named else ""
