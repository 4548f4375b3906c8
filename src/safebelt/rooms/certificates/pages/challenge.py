"""The page on which a visitor's own browser challenges a live service."""

from typing import Annotated

from litestar import Controller, get
from litestar.params import PathParameter, QueryParameter
from litestar.response import Template

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.certificates.model import AXES, ISSUED_BY, STATES
from safebelt.web.forms import empty_form
from safebelt.web.headers import CONTENT_SECURITY_POLICY
from safebelt.web.security import open_to_all
from safebelt.web.templating import page as render

CHALLENGE = Text(zh="质询在线服务", en="Challenge a live service")
POLICY = f"{CONTENT_SECURITY_POLICY}; connect-src 'self' http: https:"
"""The house's policy; on this one page the browser may also ask services elsewhere, which is what it is for."""


class ChallengePage(Controller):
    """`/{lang}/certificates/challenge`."""

    path = "/{lang:str}/certificates/challenge"
    include_in_schema = False

    @get(guards=[open_to_all("whoever uses a service may ask it who it is")], sync_to_thread=False)
    def challenge(
        self,
        lang: Annotated[Lang, PathParameter()],
        address: Annotated[str, QueryParameter(max_length=500)] = "",
        system: Annotated[str, QueryParameter(max_length=40)] = "",
    ) -> Template:
        """Show the form; nothing is asked before somebody presses its button."""
        shown = render(
            "certificates/challenge.html",
            lang=lang,
            title=CHALLENGE,
            form=empty_form(address=address, system=system),
            axes=AXES,
            issuers=ISSUED_BY,
            states=STATES,
        )
        shown.headers["content-security-policy"] = POLICY
        return shown
