"""Pages about gates, evidence, sign-offs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Problem, Refused
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.model import PERSON_ROLES, STATUSES, PersonRole, Status, System
from safebelt.rooms.registry.model.lifecycle import (
    ISSUERS,
    Attest,
    Evidence,
    Issuer,
    Move,
    SignGate,
    VouchFor,
    Withdraw,
)
from safebelt.rooms.registry.model.road import Gate
from safebelt.rooms.registry.pages import words
from safebelt.rooms.registry.service import Registry
from safebelt.web.forms import Form, empty_form, read_form
from safebelt.web.panels import Panel
from safebelt.web.security import requires
from safebelt.web.templating import page as render

PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
FormData = URLEncodedBody[dict[str, str | list[str]]]
AnyRequest = Request[Any, Any, Any]

GATES = Text(zh="关口", en="Gates")
ATTEST = Text(zh="提交证据声明", en="Attest evidence")
SIGN = Text(zh="签署关口", en="Sign off a gate")
MOVE = Text(zh="进入其他阶段", en="Move to another stage")
VOUCH = Text(zh="为证据作证", en="Vouch for evidence")
WITHDRAW = Text(zh="撤回证据", en="Withdraw evidence")

FIELDS: Mapping[str, Text] = {
    "kind": Text(zh="证据种类", en="Kind of evidence"),
    "statement": Text(zh="陈述", en="Statement"),
    "person_id": Text(zh="记名人员", en="Named person"),
    "expires_on": Text(zh="到期日", en="Last day"),
    "digest": Text(zh="文件的 SHA-256", en="SHA-256 of the document"),
    "to": Text(zh="阶段", en="Stage"),
    "reason": Text(zh="理由", en="Reason"),
    "issuer": Text(zh="身份", en="Capacity"),
}
STATES: Mapping[str, Text] = {
    "passed": Text(zh="已过", en="behind it"),
    "here": Text(zh="现在在这里", en="it is here"),
    "on_the_way": Text(zh="要过的关口", en="gate to pass"),
    "ahead": Text(zh="在前方", en="ahead"),
    "skipped": Text(zh="不需要", en="not needed"),
}
HOLDS: Mapping[Truth, Text] = {
    Truth.TRUE: Text(zh="可以通过", en="may pass"),
    Truth.FALSE: Text(zh="还缺条件", en="something is missing"),
    Truth.UNKNOWN: Text(zh="未评估", en="not evaluated"),
}
DONE: Mapping[str, Text] = {
    "attest": Text(
        zh="声明已签名并记入账本，显示为自我声明。", en="The statement is signed and on the ledger, shown as claimed."
    ),
    "sign": Text(zh="已签署，并记入账本。", en="Signed off, and the ledger remembers it."),
    "move": Text(zh="已进入新阶段，并记入账本。", en="The system is at its new stage, and the ledger remembers it."),
    "vouch": Text(zh="已确认该证据，并记入账本。", en="The evidence is vouched for, and the ledger remembers it."),
    "withdraw": Text(zh="证据已撤回，不再计入。", en="The evidence is withdrawn and counts no more."),
}


class GatePages(Controller):
    """`/{lang}/registry/systems/{id}/gates`."""

    path = "/{lang:str}/registry/systems/{system_id:str}/gates"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("registry.read")])
    def gates(
        self,
        request: AnyRequest,
        registry: NamedDependency[Registry],
        lang: PathLang,
        system_id: PathId,
        to: Annotated[Status | None, QueryParameter()] = None,
    ) -> Template:
        """Show the road, where the system stands, what the next gate asks, and how it came here."""
        found = registry.life(system_id, to)
        ahead = _ahead(registry, found.gate)
        if ahead and found.gate.to not in ahead:  # a stage behind it has no gate to look at
            found = registry.life(system_id)
        stays = found.gate.before is found.gate.to
        return render(
            "registry/lifecycle_gates.html",
            lang=lang,
            title=GATES,
            found=found,
            gate=found.gate,
            stays=stays,
            ahead=ahead,
            # A signature opens a gate once: of a system that is through, none is missing.
            missing=[one for one in found.gate.missing if not (stays and one.kind == "sign_off")],
            system=found.system,
            stage=words.stage_of(found.system),
            ways=_ways(registry, found.system, lang),
            road=registry.road,
            names=registry.evidence_name,
            states=STATES,
            holds=HOLDS,
            statuses=STATUSES,
            issuers=ISSUERS,
            today=registry.today(),
            done=DONE.get(request.query_params.get("done", "")),
        )

    @get("/attest", sync_to_thread=True, guards=[requires("registry.attest")])
    def attest_form(
        self,
        registry: NamedDependency[Registry],
        lang: PathLang,
        system_id: PathId,
        kind: Annotated[str, QueryParameter(max_length=80)] = "",
    ) -> Template:
        """Show the form that states that evidence is there."""
        until = registry.today() + timedelta(days=365)
        return _form(_at(registry, lang, system_id), "attest", empty_form(kind=kind, expires_on=until.isoformat()))

    @post("/attest", sync_to_thread=True, guards=[requires("registry.attest")])
    def attest(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """State that evidence is there."""
        return _done(_at(registry, lang, system_id), "attest", data, lambda cmd: registry.attest(system_id, cmd, by=by))

    @get("/sign", sync_to_thread=True, guards=[requires("registry.gate")])
    def sign_form(self, registry: NamedDependency[Registry], lang: PathLang, system_id: PathId) -> Template:
        """Show the form that signs off a gate."""
        return _form(_at(registry, lang, system_id), "sign", empty_form(to=Status.IN_SERVICE.value))

    @post("/sign", sync_to_thread=True, guards=[requires("registry.gate")])
    def sign(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Sign off a gate."""
        return _done(_at(registry, lang, system_id), "sign", data, lambda cmd: registry.sign_off(system_id, cmd, by=by))

    @get("/move", sync_to_thread=True, guards=[requires("registry.gate")])
    def move_form(
        self,
        registry: NamedDependency[Registry],
        lang: PathLang,
        system_id: PathId,
        to: Annotated[str, QueryParameter(max_length=40)] = "",
    ) -> Template:
        """Show the form that moves a system to another stage."""
        return _form(_at(registry, lang, system_id), "move", empty_form(to=to))

    @post("/move", sync_to_thread=True, guards=[requires("registry.gate")])
    def move(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Move a system to another stage."""
        return _done(_at(registry, lang, system_id), "move", data, lambda cmd: registry.move(system_id, cmd, by=by))


class EvidencePages(Controller):
    """`/{lang}/registry/evidence/{id}`: one piece of evidence, and who stands for it."""

    path = "/{lang:str}/registry/evidence/{evidence_id:str}"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("registry.read")])
    def evidence(self, registry: NamedDependency[Registry], lang: PathLang, evidence_id: PathId) -> Template:
        """Show a piece of evidence with its signed note."""
        found = registry.evidence(evidence_id)
        return render(
            "registry/lifecycle_evidence.html",
            lang=lang,
            title=registry.evidence_name(found.kind),
            found=found,
            system=registry.system(found.system_id),
            issuers=ISSUERS,
            today=registry.today(),
        )

    @get("/vouch", sync_to_thread=True, guards=[requires("registry.vouch")])
    def vouch_form(self, registry: NamedDependency[Registry], lang: PathLang, evidence_id: PathId) -> Template:
        """Show the form that vouches for evidence."""
        return _form(_at_evidence(registry, lang, evidence_id), "vouch", empty_form())

    @post("/vouch", sync_to_thread=True, guards=[requires("registry.vouch")])
    def vouch(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        evidence_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Vouch for evidence."""
        return _done(
            _at_evidence(registry, lang, evidence_id),
            "vouch",
            data,
            lambda cmd: registry.vouch(evidence_id, cmd, by=by),
        )

    @get("/withdraw", sync_to_thread=True, guards=[requires("registry.attest")])
    def withdraw_form(self, registry: NamedDependency[Registry], lang: PathLang, evidence_id: PathId) -> Template:
        """Show the form that takes evidence back."""
        return _form(_at_evidence(registry, lang, evidence_id), "withdraw", empty_form())

    @post("/withdraw", sync_to_thread=True, guards=[requires("registry.attest")])
    def withdraw(
        self,
        registry: NamedDependency[Registry],
        by: NamedDependency[Actor],
        lang: PathLang,
        evidence_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Take evidence back."""
        return _done(
            _at_evidence(registry, lang, evidence_id),
            "withdraw",
            data,
            lambda cmd: registry.withdraw(evidence_id, cmd, by=by),
        )


_TITLES = {"attest": ATTEST, "sign": SIGN, "move": MOVE, "vouch": VOUCH, "withdraw": WITHDRAW}
_INTO: Mapping[str, type[Any]] = {
    "attest": Attest,
    "sign": SignGate,
    "move": Move,
    "vouch": VouchFor,
    "withdraw": Withdraw,
}
_SHUT = (Invalid, Conflict, Refused)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Where a form stands: a system, or a piece of its evidence."""

    registry: Registry
    lang: Lang
    system: System
    evidence: Evidence | None = None

    @property
    def gates(self) -> str:
        return f"/{self.lang}/registry/systems/{self.system.id}/gates"

    @property
    def back(self) -> str:
        return f"/{self.lang}/registry/evidence/{self.evidence.id}" if self.evidence else self.gates


def _at(registry: Registry, lang: Lang, system_id: str) -> _Place:
    return _Place(registry=registry, lang=lang, system=registry.system(system_id))


def _at_evidence(registry: Registry, lang: Lang, evidence_id: str) -> _Place:
    found = registry.evidence(evidence_id)
    return _Place(registry=registry, lang=lang, system=registry.system(found.system_id), evidence=found)


def _form(place: _Place, deed: str, form: Form[Any], problem: Problem | None = None) -> Template:
    return render(
        "registry/lifecycle_form.html",
        lang=place.lang,
        title=_TITLES[deed],
        status=problem.status if problem else 422 if form.errors else 200,
        deed=deed,
        form=form,
        system=place.system,
        back=place.back,
        choices=_choices(place, deed),
        people=_people(place.system, place.lang),
        evidence=place.evidence,
    )


def _done(place: _Place, deed: str, data: Mapping[str, Any], act: Callable[[Any], object]) -> Template | Redirect:
    form = read_form(data, _INTO[deed], labels=FIELDS)
    if form.value is None:
        return _form(place, deed, form)
    try:
        act(form.value)
    except _SHUT as problem:
        return _form(place, deed, form.refused(problem), problem)
    return Redirect(f"{place.gates}?done={deed}", status_code=303)


def _choices(place: _Place, deed: str) -> list[tuple[str, str]]:
    registry, system, lang = place.registry, place.system, place.lang
    if deed == "vouch":
        return _capacities(lang)
    if deed == "attest":
        asked = registry.gate(system.id, Status.IN_SERVICE).asked
        kinds = dict.fromkeys((*asked, *registry.evidence_kinds()))
        mark = Text(zh="（义务要求）", en=" (a duty asks for it)").in_(lang)
        return [(kind, registry.evidence_name(kind).in_(lang) + (mark if kind in asked else "")) for kind in kinds]
    if deed == "sign":
        return [(Status.IN_SERVICE.value, STATUSES[Status.IN_SERVICE].in_(lang))]
    return _ways(registry, system, lang)


def _ahead(registry: Registry, gate: Gate) -> list[Status]:
    """Return the stages whose gates lie ahead; all of the road for a system that is off it."""
    order = list(registry.road.order)
    return order[order.index(gate.before) + 1 :] if gate.before in order else order[1:]


def _ways(registry: Registry, system: System, lang: Lang) -> list[tuple[str, str]]:
    return [(one.value, STATUSES[one].in_(lang)) for one in registry.road.stages[system.status].to]


def _people(system: System, lang: Lang) -> list[tuple[str, str]]:
    current = (person for role in PersonRole for person in system.current(role))
    return [(person.id, f"{person.name} · {PERSON_ROLES[person.role].in_(lang)}") for person in current]


def _capacities(lang: Lang) -> list[tuple[str, str]]:
    own = Text(zh="按我的角色", en="as my role says").in_(lang)
    return [("", own), *((one.value, ISSUERS[one].in_(lang)) for one in Issuer if one is not Issuer.SELF)]


def panels(registry: Registry) -> tuple[Panel, ...]:
    """Return what this piece lays on a system's dossier."""

    def context(system_id: str, _lang: Lang) -> Mapping[str, Any]:
        try:
            gate = registry.gate(system_id)
        except NotFound:
            return {"gate": None}
        stays = gate.before is gate.to  # in service already: what its evidence rests on stands at the head of the page
        return {"gate": gate, "is_empty": stays, "statuses": STATUSES, "holds": HOLDS, "shown": 4}

    return (
        Panel(
            name="registry-gates",
            title=Text(zh="下一道关口", en="The next gate"),
            template="registry/_panel_lifecycle.html",
            context=context,
            place="side",
        ),
    )


PAGES: tuple[type, ...] = (GatePages, EvidencePages)
