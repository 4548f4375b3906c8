"""Pages about one party: its identifiers, roles, systems, parts, and what was done about it."""

from typing import Annotated, Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.model import Party
from safebelt.rooms.registry.model.identity import SCHEMES, VERIFIED, ChangeParty, Identify, Scheme, Verified
from safebelt.rooms.registry.pages import words
from safebelt.rooms.registry.pages.things_words import THING_KINDS
from safebelt.rooms.registry.service import Registry
from safebelt.web.forms import Form, empty_form, read_form
from safebelt.web.security import requires
from safebelt.web.templating import page as render

AnyRequest = Request[Any, Any, Any]
PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
FormData = URLEncodedBody[dict[str, str | list[str]]]

SYSTEMS_SHOWN = 50
"""Systems a party's page names; the register finds the rest."""
FIELDS = dict(words.PARTY_FIELDS) | {
    "scheme": Text(zh="编号体系", en="System of identifiers"),
    "value": Text(zh="编号", en="Identifier"),
    "named": Text(zh="编号体系名称", en="Name of the system"),
    "source": Text(zh="官方登记页面", en="Page of the official register"),
    "reason": Text(zh="理由", en="Reason"),
}
DONE = {
    "identified": Text(zh="编号已登记，并已记入存证账本。", en="The identifier is on record, and in the ledger."),
    "removed": Text(zh="编号已移除，并已记入存证账本。", en="The identifier is removed, and the ledger remembers it."),
    "changed": Text(zh="变更已保存，并已记入存证账本。", en="The change is saved, and the ledger remembers it."),
}
TONES = {Verified.STATED: "unknown", Verified.WELL_FORMED: "observe", Verified.LOOKED_UP: "complete"}
"""Which of the house's tags each degree of verification wears."""


class PartyPages(Controller):
    """`/{lang}/registry/parties/{id}`."""

    path = "/{lang:str}/registry/parties/{party_id:str}"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("registry.read")])
    def party(
        self, request: AnyRequest, registry: NamedDependency[Registry], lang: PathLang, party_id: PathId
    ) -> Template:
        """Show a party."""
        return _party_page(request, registry, lang, party_id, empty_form(scheme="uscc"))

    @post("/identifiers", sync_to_thread=True, guards=[requires("registry.change")])
    def identify(
        self,
        *,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        party_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Enter an identifier."""
        form = read_form(data, Identify, labels=FIELDS)
        if form.value is None:
            return _party_page(request, registry, lang, party_id, form, status=422)
        try:
            registry.identify(party_id, form.value, by=by)
        except (Invalid, Conflict) as problem:
            return _party_page(request, registry, lang, party_id, form.refused(problem), status=problem.status)
        return _to(lang, party_id, "identified")

    @get("/identifiers/{identifier_id:str}/remove", sync_to_thread=True, guards=[requires("registry.change")])
    def removing(
        self, *, registry: NamedDependency[Registry], lang: PathLang, party_id: PathId, identifier_id: PathId
    ) -> Template:
        """Ask why an identifier is removed."""
        return _removing_page(registry, lang, party_id, identifier_id, empty_form())

    @post("/identifiers/{identifier_id:str}/remove", sync_to_thread=True, guards=[requires("registry.change")])
    def remove(
        self,
        *,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        party_id: PathId,
        identifier_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Remove an identifier."""
        typed = data.get("reason", "")
        reason = typed if isinstance(typed, str) else ""
        try:
            registry.remove_identifier(party_id, identifier_id, reason, by=by)
        except Invalid as problem:
            form = empty_form(reason=reason).refused(problem)
            return _removing_page(registry, lang, party_id, identifier_id, form, status=problem.status)
        return _to(lang, party_id, "removed")

    @get("/change", sync_to_thread=True, guards=[requires("registry.change")])
    def change_form(self, registry: NamedDependency[Registry], lang: PathLang, party_id: PathId) -> Template:
        """Show the form that changes a party."""
        view = registry.party_view(party_id)
        return _change_page(lang, view.party, Form(values=_as_typed(view.party) | {"seal": view.seal}))

    @post("/change", sync_to_thread=True, guards=[requires("registry.change")])
    def change(
        self,
        *,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        party_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Change a party."""
        party = registry.party(party_id)
        # A box that nobody ticked is not sent at all: here that means none, not "as it was".
        form = read_form({"roles": [], **data}, ChangeParty, labels=FIELDS)
        if form.value is None:
            return _change_page(lang, party, form, 422)
        roles = form.value.roles or ()
        try:
            registry.change_party(party_id, _with_roles(form.value, roles), by=by)
        except (Invalid, Conflict) as problem:
            return _change_page(lang, party, form.refused(problem), problem.status)
        return _to(lang, party_id, "changed")


def _with_roles(cmd: ChangeParty, roles: tuple[Any, ...]) -> ChangeParty:
    return ChangeParty(seal=cmd.seal, reason=cmd.reason, name=cmd.name, kind=cmd.kind, roles=roles, contact=cmd.contact)


def _to(lang: Lang, party_id: str, done: str) -> Redirect:
    return Redirect(f"/{lang}/registry/parties/{party_id}?done={done}", status_code=303)


def _party_page(
    request: AnyRequest, registry: Registry, lang: Lang, party_id: str, form: Form[Any], *, status: int = 200
) -> Template:
    view = registry.party_view(party_id)
    ids = registry.systems_of(party_id)
    return render(
        "registry/party.html",
        lang=lang,
        title=Text(zh=view.party.name, en=view.party.name),
        status=status,
        view=view,
        party=view.party,
        systems=[registry.system(each) for each in ids[:SYSTEMS_SHOWN]],
        total=len(ids),
        things=registry.things_of(party_id),
        thing_kinds=THING_KINDS,
        acts=words.told(registry.acts_of(party_id), request.app.state.get("event_titles", {}), lang),
        form=form,
        schemes=[(scheme.value, title.in_(lang)) for scheme, title in SCHEMES.items()],
        scheme_titles=SCHEMES,
        verified=VERIFIED,
        tones=TONES,
        other=Scheme.OTHER,
        notice=DONE.get(request.query_params.get("done", "")),
        words=words,
    )


def _change_page(lang: Lang, party: Party, form: Form[Any], status: int = 200) -> Template:
    return render(
        "registry/party_change.html",
        lang=lang,
        title=Text(zh="变更主体登记", en="Change a party"),
        status=status,
        form=form,
        party=party,
        words=words,
    )


def _removing_page(
    registry: Registry, lang: Lang, party_id: str, identifier_id: str, form: Form[Any], *, status: int = 200
) -> Template:
    view = registry.party_view(party_id)
    one = next((each for each in view.identifiers if each.id == identifier_id), None)
    return render(
        "registry/party_identifier_remove.html",
        lang=lang,
        title=Text(zh="移除编号", en="Remove an identifier"),
        status=status if one else 404,
        form=form,
        party=view.party,
        one=one,
        scheme_titles=SCHEMES,
    )


def _as_typed(party: Party) -> dict[str, str | tuple[str, ...]]:
    return {
        "name": party.name,
        "kind": party.kind.value,
        "roles": tuple(role.value for role in party.roles),
        "contact": party.contact,
    }


PAGES: tuple[type, ...] = (PartyPages,)
