"""Language is in the URL (`/zh/…`, `/en/…`): shareable, cacheable, testable.

Interface wording is written in both languages side by side, where it is used: `t("登记", "Register")`.
A wording in one language only cannot be written.  A further language is a gettext catalogue keyed by
the English wording (`locale/<language>/LC_MESSAGES/safebelt.po`), so it is data, not code.
"""

from collections.abc import Callable

from safebelt.kernel.text import Lang, Text

Say = Callable[[str, str], str]


def sayer(lang: Lang) -> Say:
    """Return `t(zh, en)` for a reader of `lang`; templates get it as `t`."""
    return lambda zh, en: Text(zh=zh, en=en).in_(lang)
