"""`/{lang}/rulebook/try`: judge a description that somebody pastes, uploads or picks.  Nothing is remembered."""

from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Template

from safebelt.kernel.errors import Invalid, Problem
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.rulebook.model import Description
from safebelt.rooms.rulebook.packs.documents import MAX_BYTES
from safebelt.rooms.rulebook.packs.findings import Finding, Unreadable
from safebelt.rooms.rulebook.pages import owed_words
from safebelt.rooms.rulebook.pages.owed_view import Chosen, known_facts
from safebelt.rooms.rulebook.pages.owed_words import Day, PathLang, Word
from safebelt.rooms.rulebook.pages.systems import shown
from safebelt.rooms.rulebook.service import Rules
from safebelt.rooms.rulebook.service.owing import outlook_on
from safebelt.web.forms import Form, empty_form
from safebelt.web.security import requires
from safebelt.web.templating import page as render

TryForm = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)]

EXAMPLES_SHOWN = 12


class TryPages(Controller):
    """Try the law on a system."""

    path = "/{lang:str}/rulebook/try"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("rulebook.read")])
    def ask(
        self,
        *,
        rulebook: NamedDependency[Rules],
        lang: PathLang,
        search: Word = "",
        example: Word = "",
        on: Day = "",
        draft: Word = "",
    ) -> Template:
        """Show the form and the examples; judge the example that was picked."""
        values = {"on": on, "draft": draft}
        if not example:
            return _page(rulebook, lang, empty_form(**values), search=search)
        form = empty_form(**values, descriptor=(rulebook.folder / "systems" / _file(rulebook, example)).read_text())
        return _judged(rulebook, lang, form, rulebook.example(example), search=search)

    @post(sync_to_thread=True, status_code=200, guards=[requires("rulebook.read")])
    def judge(self, rulebook: NamedDependency[Rules], lang: PathLang, data: TryForm) -> Template:
        """Judge what was pasted or uploaded."""
        values = {name: str(data.get(name, "")) for name in ("on", "draft")}
        try:
            source = _source(data)
        except Invalid as problem:
            return _page(rulebook, lang, empty_form(**values).refused(problem), status=422)
        form = empty_form(**values, descriptor=source)
        try:
            return _judged(rulebook, lang, form, rulebook.read(source))
        except Unreadable as problem:
            told = Text(
                zh=f"描述文件有 {len(problem.findings)} 处错误，逐项列在下面。",
                en=f"The descriptor has {len(problem.findings)} error(s); each is listed below.",
            )
            refused = form.refused(Invalid(what=told, hint=problem.hint, details={"field": "descriptor"}))
            return _page(rulebook, lang, refused, findings=problem.findings, status=422)
        except Problem as problem:
            return _page(rulebook, lang, form.refused(problem), status=problem.status)


def _file(rulebook: Rules, example: str) -> str:
    """The file of an example, whose name is its id; nothing that was not listed is opened."""
    return f"{rulebook.example(example).id}.yaml"


def _source(data: dict[str, Any]) -> str:
    """What was uploaded, or else pasted.

    Raises:
        Invalid: There is nothing, or it is no text.
    """
    upload = data.get("file")
    if isinstance(upload, UploadFile) and (raw := upload.file.read(MAX_BYTES + 1)):
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Invalid(
                what=Text(zh="所选文件不是 UTF-8 文本。", en="The file chosen is not UTF-8 text."),
                hint=Text(zh="请以 UTF-8 保存后再试。", en="Save it as UTF-8 and try again."),
                details={"field": "file"},
            ) from error
    pasted = str(data.get("descriptor", ""))
    if pasted.strip():
        return pasted.replace("\r\n", "\n")
    raise Invalid(
        what=Text(
            zh="请粘贴描述文件、选择文件，或从样例中选一个。",
            en="Paste a descriptor, choose a file, or pick an example.",
        ),
        hint=Text(zh="格式为 system/1。", en="Its form is system/1."),
        details={"field": "descriptor"},
    )


def _judged(rulebook: Rules, lang: Lang, form: Form[Any], description: Description, *, search: str = "") -> Template:
    """Judge a description as of the day and with the draft that were asked for.

    Raises:
        Invalid: The day is no day, or the draft does not fit.
        NotFound: There is no such draft.
    """
    day = owed_words.day(form.typed("on")) or rulebook.today()
    drafts = (rulebook.overlay(form.typed("draft")),) if form.typed("draft") else ()
    outlook = outlook_on(rulebook.text(day, drafts), description.values(), day)
    return _page(
        rulebook,
        lang,
        form,
        search=search,
        description=description,
        drafted=drafts,
        facts=known_facts(description, outlook),
        is_print=False,
        **shown(outlook, Chosen(), lang),
    )


def _page(
    rulebook: Rules,
    lang: Lang,
    form: Form[Any],
    *,
    search: str = "",
    findings: tuple[Finding, ...] = (),
    status: int = 200,
    **more: Any,
) -> Template:
    words = search.casefold().split()
    found = [one for one in rulebook.examples.values() if all(word in _said(one) for word in words)]
    return render(
        "rulebook/try.html",
        lang=lang,
        title=owed_words.TRY,
        status=status,
        form=form,
        findings=findings,
        search=search,
        examples=found[:EXAMPLES_SHOWN],
        examples_found=len(found),
        drafts=rulebook.rulebook.drafts,
        description=more.pop("description", None),
        **more,
    )


def _said(one: Description) -> str:
    purpose = (one.purpose.zh, one.purpose.en) if one.purpose else ()
    return " ".join((one.id, one.name.zh, one.name.en, *purpose)).casefold()


PAGES: tuple[type[Controller], ...] = (TryPages,)
