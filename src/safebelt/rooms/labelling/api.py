"""JSON door of labelling: `POST /api/labelling/verify`."""

from dataclasses import dataclass
from typing import Any

from litestar import Controller, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import MultipartBody

from safebelt.kernel.errors import Invalid, TooMany
from safebelt.rooms.labelling.decide.contract import as_data
from safebelt.rooms.labelling.service import MAX_SENT_BYTES, Labelling
from safebelt.web.openapi import NO_TOKEN, public_problems
from safebelt.web.security import open_to_all


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckContent:
    """A file to check; nothing of it is kept."""

    file: UploadFile


class LabellingApi(Controller):
    """`/api/labelling`."""

    path = "/api/labelling"
    tags = ("labelling",)

    @post(
        "/verify",
        sync_to_thread=True,
        status_code=200,
        request_max_body_size=MAX_SENT_BYTES,
        guards=[open_to_all("whoever is shown a content may check it; nothing of it is kept")],
        security=NO_TOKEN,
        responses=public_problems(Invalid, TooMany, has_body=True),
    )
    def verify_content(
        self, labelling: NamedDependency[Labelling], data: MultipartBody[CheckContent]
    ) -> dict[str, Any]:
        """Check a file: one answer a question (`ok`, `bad`, `absent`, `unknown`), each with why; and a sentence."""
        return as_data(labelling.verify_sent(data.file.file, data.file.filename))


API = (LabellingApi,)
