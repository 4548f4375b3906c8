"""Films that pass the belt: asked for by a form, made over minutes, and marked when they are fetched.

`POST /v1/videos` is screened like any request, and answered with a job; `GET /v1/videos/{id}` says how far it is;
`GET /v1/videos/{id}/content` is an exchange of its own, whose record names the film.
"""

import re
from typing import Any

from safebelt.rooms.belt.proxy import forms
from safebelt.rooms.belt.proxy.exchange import Exchange
from safebelt.rooms.belt.proxy.media import WholeBody
from safebelt.rooms.belt.proxy.screens import Screened, screen_request

ASKED = "/v1/videos"
JOB = re.compile(r"/v1/videos/[\w-]{1,128}", re.ASCII)
"""Address of a film that is being made; no character in it leads elsewhere."""
CONTENT = re.compile(r"/v1/videos/[\w-]{1,128}/content", re.ASCII)
_REFERENCE = "input_reference"
"""The one field that may be a file: a picture or film to begin from."""


class FilmOrder(Exchange):
    """`POST /v1/videos`: as JSON, or as the form that the official client sends."""

    _may_repeat = False  # each order makes a film

    def _screened_input(self) -> tuple[dict[str, Any], Screened, bytes]:
        content_type = self._request.header(b"content-type")
        if not forms.is_form(content_type):
            return super()._screened_input()
        texts, files = forms.read(content_type, self._request.body)
        if any(one.name != _REFERENCE for one in files):
            raise forms.Malformed("a file in a field that takes none")
        body: dict[str, Any] = {**texts, **{one.name: {"bytes": len(one.data)} for one in files}}
        screened = screen_request(self._scanner, self._caller.harness, body)
        said = {name: screened.body[name] for name in texts if name in screened.body}  # a name that was masked is gone
        self._passed_type, passed = forms.written(said, files)
        return body, screened, passed


class Film(WholeBody):
    """`GET /v1/videos/{id}/content`: the film as the whole body."""

    _method = "GET"
    _types = ("video/",)

    def _screened_input(self) -> tuple[dict[str, Any], Screened, bytes]:
        return {}, screen_request(self._scanner, self._caller.harness, {}), b""
