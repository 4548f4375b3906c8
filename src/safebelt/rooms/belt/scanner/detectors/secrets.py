"""Keys and tokens, and invisible runs.  A long token is known by its beginning; its tail is taken however long."""

import re
import string

from safebelt.rooms.belt.scanner.chars import INVISIBLE
from safebelt.rooms.belt.scanner.detectors.base import BEGINS, DIGITS, Detector, if_true

_URL_SAFE = frozenset(string.ascii_lowercase + string.digits + "_-")
_WORD = frozenset(string.ascii_lowercase + string.digits + "_")


def _has_digit(text: str) -> bool:
    return not DIGITS.isdisjoint(text)


# `sk-`, `sk-proj-`, `sk-ant-`…; a slug of words has no digit in its first forty characters, a key nearly always has.
OPENAI_KEY = Detector(
    name="openai_key",
    probe=r"sk-",
    hint=r"sk-[a-z0-9_-]{20}",
    pattern=re.compile(rf"{BEGINS}sk-[a-z0-9_-]{{20,40}}"),
    needs=frozenset("-"),
    judge=if_true(_has_digit),
    tail=_URL_SAFE,
)
AWS_KEY = Detector(
    name="aws_key",
    probe=r"a[ks]ia",
    hint=r"a[ks]ia[a-z2-7]{16}",
    pattern=re.compile(rf"{BEGINS}(?:akia|asia)[a-z2-7]{{16}}(?![a-z0-9])"),
    needs=frozenset("a"),
)
ALIYUN_KEY = Detector(
    name="aliyun_key",
    probe=r"ltai",
    hint=r"ltai[a-z0-9]{12}",
    pattern=re.compile(rf"{BEGINS}ltai[a-z0-9]{{12,26}}(?![a-z0-9])"),
    needs=frozenset("l"),
)
GITHUB_TOKEN = Detector(
    name="github_token",
    probe=r"gh[pousr]_|github_pat_",
    hint=r"gh[pousr]_[a-z0-9]{36}|github_pat_",
    pattern=re.compile(rf"{BEGINS}(?:gh[pousr]_[a-z0-9]{{36}}|github_pat_[a-z0-9_]{{22}})"),
    needs=frozenset("_"),
    tail=_WORD,
)
SLACK_TOKEN = Detector(
    name="slack_token",
    probe=r"xox[abeoprs]-",
    hint=r"xox[abeoprs]-",
    pattern=re.compile(rf"{BEGINS}xox[abeoprs]-[a-z0-9-]{{10,40}}"),
    needs=frozenset("-"),
    judge=if_true(_has_digit),
    tail=_URL_SAFE,
)
GOOGLE_KEY = Detector(
    name="google_key",
    probe=r"aiza",
    hint=r"aiza[a-z0-9_-]{35}",
    pattern=re.compile(rf"{BEGINS}aiza[a-z0-9_-]{{35}}(?![a-z0-9_-])"),
    needs=frozenset("z"),
)
# RFC 7519: two base64url objects, `{"` both; a header longer than 800 characters is not recognised (REACH).
JWT = Detector(
    name="jwt",
    probe=r"eyj",
    longest=816,
    hint=r"eyj[a-z0-9_-]{8}",
    pattern=re.compile(rf"{BEGINS}eyj[a-z0-9_-]{{8,800}}\.ey[a-z0-9_-]{{8}}"),
    needs=frozenset("."),
    tail=_URL_SAFE | {"."},
)
# Safebelt's own: `sbk_` callers' keys, `sbt_` access tokens.
SAFEBELT_KEY = Detector(
    name="safebelt_key",
    probe=r"sb[kt]_",
    hint=r"sb[kt]_[a-z0-9_-]{16}",
    pattern=re.compile(rf"{BEGINS}sb[kt]_[a-z0-9_-]{{16}}"),
    needs=frozenset("_"),
    tail=_URL_SAFE,
)
# PEM (RFC 7468), also with `\n` written out, also with the header lines of encrypted keys (RFC 1421).
PRIVATE_KEY = Detector(
    name="private_key",
    probe=r"-----begin ",
    longest=424,
    hint=r"-----begin ",
    pattern=re.compile(
        r"-----begin (?:[a-z0-9]{1,12} ){0,3}private key(?: block)?-----(?:\\[rn]|[ \n\t]){0,8}"
        r"(?:[a-z-]{3,16}: [^\n\\]{1,80}(?:\\[rn]|\n){1,4}){0,3}[a-z0-9+/=]{16}"
    ),
    needs=frozenset("-"),
    tail=frozenset(string.ascii_lowercase + string.digits + "+/=\\\n-"),
)
INVISIBLE_RUN = Detector(
    name="invisible_run",
    hint=INVISIBLE,
    probe=INVISIBLE,
    pattern=re.compile(f"{INVISIBLE}"),
    needs=frozenset(INVISIBLE),
)

DETECTORS = (
    OPENAI_KEY,
    AWS_KEY,
    ALIYUN_KEY,
    GITHUB_TOKEN,
    SLACK_TOKEN,
    GOOGLE_KEY,
    JWT,
    SAFEBELT_KEY,
    PRIVATE_KEY,
    INVISIBLE_RUN,
)
