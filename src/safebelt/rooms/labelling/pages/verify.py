"""The public page on which anybody checks a file or a text: `/{lang}/verify`."""

import io
from collections.abc import Mapping
from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.enums import RequestEncodingType
from litestar.params import Body, PathParameter
from litestar.response import Template

from safebelt.kernel.errors import Invalid, Problem
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.labelling.decide.picture import marks_on
from safebelt.rooms.labelling.model import AXES, KEYS, VERDICTS, Checked
from safebelt.rooms.labelling.service import MAX_SENT_BYTES, Labelling
from safebelt.web.forms import Form, empty_form
from safebelt.web.security import open_to_all
from safebelt.web.templating import page as render

VERIFY = Text(zh="核验内容", en="Check a content")
_MAX_TEXT = 200_000
_OPEN = open_to_all("whoever is shown a content may check it; nothing of it is kept")

PathLang = Annotated[Lang, PathParameter()]
Uploads = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)]


class VerifyPages(Controller):
    """`/{lang}/verify`."""

    path = "/{lang:str}/verify"
    include_in_schema = False

    @get(guards=[_OPEN], sync_to_thread=False)
    def form(self, lang: PathLang) -> Template:
        """Show the form."""
        return _page(lang, empty_form())

    @post(guards=[_OPEN], sync_to_thread=True, status_code=200, request_max_body_size=MAX_SENT_BYTES)
    def check(self, labelling: NamedDependency[Labelling], lang: PathLang, data: Uploads) -> Template:
        """Check what was sent, and show each answer."""
        text = str(data.get("text") or "")
        form: Form[Any] = Form(values={"text": text[:_MAX_TEXT]})
        try:
            found = _checked(labelling, data)
        except Problem as problem:
            return _page(lang, form.refused(problem), status=problem.status)
        return _page(lang, form, found=found)


def _checked(labelling: Labelling, data: Mapping[str, Any]) -> Checked:
    """Check an uploaded file, or a pasted text.

    Raises:
        Invalid: Nothing was sent, or too much.
    """
    upload, text = data.get("file"), str(data.get("text") or "")
    if isinstance(upload, UploadFile) and upload.filename:
        return labelling.verify_sent(upload.file, upload.filename)
    if not text.strip():
        raise Invalid(
            what=Text(zh="没有收到文件或文字。", en="There is neither a file nor a text."),
            hint=Text(zh="请选择一个文件，或粘贴一段文字。", en="Choose a file, or paste a text."),
            details={"field": "file"},
        )
    if len(text) > _MAX_TEXT:
        raise Invalid(
            what=Text(zh="文字过长。", en="The text is too long."),
            hint=Text(zh="请保存为文件后上传。", en="Save it as a file and send that."),
            details={"field": "text"},
        )
    return labelling.verify_sent(io.BytesIO(text.encode()), "text.txt")


def _page(lang: Lang, form: Form[Any], *, found: Checked | None = None, status: int = 200) -> Template:
    return render(
        "labelling/verify.html",
        lang=lang,
        title=VERIFY,
        form=form,
        found=found,
        axes=AXES,
        verdicts=VERDICTS,
        keys=tuple(KEYS.values()),
        blocks=marks_on(found) if found else (),
        max_mb=MAX_SENT_BYTES >> 20,
        status=status,
    )
