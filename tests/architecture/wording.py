"""Find wording that a reader of one of the two languages would miss."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser

from jinja2 import Environment, nodes

CJK = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uf900-\ufaff\uff00-\uffef]")
WORD = re.compile(r"[A-Za-z]{2,}")

PROPER_NAMES = {
    "Safebelt", "Apache-2.0", "CSV", "YAML", "PDF", "TLS", "API", "JSON", "OpenAPI", "CLI", "HTTP", "URL", "GB", "AIGC", "RFC", "SHA-256", "Ed25519", "Merkle", "English", "EN", "中文",
    "ID", "kB", "MB", "ms", "UTC",
}  # fmt: skip
"""What is written the same in both languages; names of the languages stand in their own."""

SPOKEN_ATTRIBUTES = {"alt", "aria-label", "aria-description", "placeholder", "title", "label", "aria-roledescription"}
SILENT_ELEMENTS = {"script", "style", "code", "kbd", "samp", "pre", "svg"}


_JINJA = Environment(extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"])  # only ever parses


def wording_faults(template: str) -> list[str]:
    """Name every wording in a template that is not said in both languages."""
    return [*_bad_calls(template), *_bare_words(template)]


def _bad_calls(template: str) -> Iterator[str]:
    tree = _JINJA.parse(template)
    inside: set[int] = set()
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "t":
            inside |= {id(constant) for constant in call.find_all(nodes.Const)}
            if not _is_said_twice(call):
                yield f"line {call.lineno}: t() takes a Chinese and an English wording"
    for constant in tree.find_all(nodes.Const):
        is_wording = isinstance(constant.value, str) and CJK.search(constant.value) and id(constant) not in inside
        if is_wording and constant.value not in PROPER_NAMES:
            yield f"line {constant.lineno}: {constant.value!r} is outside t()"


def _is_said_twice(call: nodes.Call) -> bool:
    if len(call.args) != 2 or call.kwargs:
        return False
    zh, en = ("".join(str(c.value) for c in [*_constants(arg)]) for arg in call.args)
    return says_something(zh, en)


def says_something(zh: str, en: str) -> bool:
    """Whether the first is Chinese and the second is not *only* Chinese (a law may prescribe Chinese words)."""
    return bool(zh.strip() and en.strip() and CJK.search(zh) and (WORD.search(en) or not CJK.search(en)))


def _constants(node: nodes.Node) -> Iterator[nodes.Const]:
    if isinstance(node, nodes.Const):
        yield node
    yield from node.find_all(nodes.Const)


class _Reader(HTMLParser):
    """Collects what a person reads or a screen reader speaks."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.heard: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in SILENT_ELEMENTS
        self.heard += [value for name, value in attrs if name in SPOKEN_ATTRIBUTES and value]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in SILENT_ELEMENTS

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.heard.append(data)


_ATTRIBUTE = re.compile(r"([a-z-]+)=([\"'])(.*?)\2")


def _speak(fragment: re.Match[str]) -> str:
    """Of an attribute that a macro writes by itself, outside any tag, keep what is spoken."""
    return fragment[3] if fragment[1] in SPOKEN_ATTRIBUTES else " "


def _bare_words(template: str) -> Iterator[str]:
    markup = " ".join(value for _, kind, value in _JINJA.lex(template) if kind == "data")
    reader = _Reader()
    reader.feed(markup)
    for text in reader.heard:
        rest = _ATTRIBUTE.sub(_speak, text)
        for name in sorted(PROPER_NAMES, key=len, reverse=True):
            rest = re.sub(rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z])", " ", rest)
        if CJK.search(rest) or WORD.search(rest):
            yield f"bare words outside t(): {' '.join(text.split())!r}"


def text_faults(source: str) -> list[str]:
    """Name every literal `Text(zh=…, en=…)` in Python that does not say something in each language."""
    faults = []
    for call in (n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call) and ast.unparse(n.func) == "Text"):
        said = {keyword.arg: keyword.value for keyword in call.keywords}
        if set(said) != {"zh", "en"} or call.args:
            faults += [] if None in said else [f"line {call.lineno}: Text takes zh and en"]
        elif all(isinstance(value, ast.Constant) for value in said.values()):
            zh, en = (str(said[lang].value) for lang in ("zh", "en"))  # type: ignore[attr-defined]
            is_name = zh == en and not CJK.search(zh)
            if not is_name and not says_something(zh, en):
                faults.append(f"line {call.lineno}: Text(zh={zh!r}, en={en!r})")
    return faults
