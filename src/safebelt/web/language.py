"""Language is in the URL (`/zh/…`, `/en/…`): shareable, cacheable, testable.

Interface wording is written in both languages side by side, where it is used: `t("登记", "Register")`.
A wording in one language only cannot be written.  A further language is a gettext catalogue keyed by
the English wording (`locale/<language>/LC_MESSAGES/safebelt.po`), so it is data, not code.
"""

from collections.abc import Callable

from safebelt.kernel.text import LANGS, Lang, Text

Say = Callable[[str, str], str]


def sayer(lang: Lang) -> Say:
    """Return `t(zh, en)` for a reader of `lang`; templates get it as `t`."""
    return lambda zh, en: Text(zh=zh, en=en).in_(lang)


def as_lang(word: str) -> Lang | None:
    """Return the language a path segment names, or None."""
    return next((lang for lang in LANGS if lang == word), None)


def preferred(accept_language: str) -> Lang:
    """Return the language a browser asks for (RFC 9110 section 12.5.4); Chinese where it does not care.

    Example:
        >>> preferred("en-GB,en;q=0.9,zh;q=0.4")
        'en'
    """
    wishes = sorted((_wish(part) for part in accept_language.split(",")), key=lambda wish: -wish[1])
    found = (as_lang(tag) for tag, quality in wishes if quality > 0)
    return next((lang for lang in found if lang), "zh")


def _wish(part: str) -> tuple[str, float]:
    """Read `en-GB;q=0.8` as `("en", 0.8)`; what cannot be read is not wished for."""
    tag, _, quality = part.partition(";q=")
    try:
        return tag.strip().split("-")[0].lower(), float(quality) if quality else 1.0
    except ValueError:
        return "", 0.0


def other(lang: Lang) -> Lang:
    """Return the other language, for the switch in the page's head."""
    return "en" if lang == "zh" else "zh"


def path_in(path: str, lang: Lang) -> str:
    """Return the same page in `lang`; a path without a language gets one put before it.

    Example:
        >>> path_in("/zh/registry", "en")
        '/en/registry'
    """
    first, _, rest = path.lstrip("/").partition("/")
    return f"/{lang}/{rest}" if as_lang(first) else f"/{lang}/{path.lstrip('/')}"
