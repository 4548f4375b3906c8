"""A register with something of everything in it, and what makes each of its operations do its work."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.api.conftest import Api
from tests.rooms.registry.test_imports import MAPPING, TABLE
from tests.rooms.registry.training_cases import CONFIG, DATA, FACTS, MADE, asking, forecast, granting

from safebelt.kernel.actors import OWNER, Actor, Role
from safebelt.rooms.registry.model import (
    PartyKind,
    PersonRole,
    RegisterParty,
    System,
    identity,
    notes,
    publication,
    responsibility,
    search,
    supervision,
    things,
)
from safebelt.rooms.registry.model.imports import File, Wish
from safebelt.rooms.registry.model.lifecycle import Attest
from safebelt.rooms.registry.model.supervision import Outcome, StepKind
from safebelt.rooms.registry.model.things import ThingKind
from safebelt.rooms.registry.model.training import JobKind, StartJob
from safebelt.rooms.registry.service import Registry

ROOT = "/api/registry"
SYSTEM = f"{ROOT}/systems/{{system_id}}"
GROUND = "eu/ai-act#art_12__para_1"
CONTEST = "Object here, in writing."
EVIDENCE = "technical_documentation"
FORM = "cn-algorithm-filing"
RUNNER = Actor(id="usr_runner", roles=frozenset({Role.RUNNER}), door="api")
How = dict[str, Any]


class Filled:
    """Fills the register: `known` has an id of everything, `ordinary` what to send to each operation."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.registry: Registry = api.house.registry
        self.admin = api.house.access.authenticate_token(api.tokens[Role.ADMIN])
        self.officer = api.house.access.authenticate_token(api.tokens[Role.AUTHORITY])
        self.known: dict[str, Any] = {}
        self.ordinary: dict[str, How] = {}
        self.system = forecast(self.registry)
        self.other = forecast(self.registry)
        self.person = self.system.current(PersonRole.ACCOUNTABLE)[0].id
        self.overseer = self.system.current(PersonRole.OVERSEER)[0].id
        self.until = (self.registry.today() + timedelta(days=100)).isoformat()
        for fill in (
            self._register,
            self._lifecycle,
            self._changes,
            self._things,
            self._identity,
            self._notes,
            self._jobs,
            self._offices,
            self._cases,
            self._imports,
            self._forms,
            self._search,
            self._publication,
        ):
            fill()

    def add(self, label: str, body: Any = None, *, query: Any = None, role: Role | None = None, **path: Any) -> None:
        """Say how an operation is asked in the ordinary way; a path needs no id that stands for the system."""
        known = {"system_id": self.system.id} if "{system_id}" in label else {}
        said = {"path_parameters": {**known, **path}, "body": body, "query": query, "role": role}
        self.ordinary[label] = {name: value for name, value in said.items() if value is not None}

    def _register(self) -> None:
        party = self.system.provider_id
        self.known |= {"system_id": self.system.id, "party_id": party, "provider_id": party, "person_id": self.person}
        self.add(f"GET {ROOT}/parties")
        self.add(f"GET {ROOT}/systems")
        self.add(f"GET {ROOT}/parties/{{party_id}}", party_id=party)
        self.add(f"POST {ROOT}/parties", {"name": "明理科技有限公司", "roles": ["provider"]})
        self.add(f"POST {ROOT}/systems", {"provider_id": party, "name_zh": "助手", "purpose_zh": "答疑"})
        self.add(f"GET {SYSTEM}")
        changed = {"version": self.system.version, "reason": "drill", "name_en": "Changed"}
        self.add(f"PATCH {SYSTEM}", changed)
        self.add(f"PUT {SYSTEM}/facts", {"descriptor": FACTS.replace("energy_supply", "office_productivity")})
        self.add(f"GET {SYSTEM}/dossier")
        self.add(f"POST {SYSTEM}/people", {"role": "overseer", "name": "李雷"})
        self.add(f"GET {SYSTEM}/package")
        self.add(f"POST {SYSTEM}/package", {"recipient": "Market Surveillance Office", "basis": GROUND})

    def _lifecycle(self) -> None:
        def stated() -> Attest:
            return Attest(
                kind=EVIDENCE, statement="in the safe", person_id=self.person, expires_on=self.registry.today()
            )

        one, two = (self.registry.attest(self.system.id, stated(), by=self.admin).id for _ in range(2))
        said = {"kind": EVIDENCE, "statement": "It is kept in the safe", "expires_on": self.until}
        self.known["evidence_id"] = one
        self.add(f"GET {SYSTEM}/gates")
        self.add(f"POST {SYSTEM}/evidence", {**said, "person_id": self.person})
        self.add(f"POST {SYSTEM}/evidence/issued", said)
        self.add(f"GET {ROOT}/evidence/expiring")
        self.add(f"POST {ROOT}/evidence/{{evidence_id}}/vouches", {"statement": "Read it"}, evidence_id=one)
        self.add(f"POST {ROOT}/evidence/{{evidence_id}}/withdrawal", {"reason": "outdated"}, evidence_id=two)
        self.add(f"POST {SYSTEM}/sign-offs", {"to": "in_service", "person_id": self.person})
        self.add(f"POST {SYSTEM}/passages", {"to": "design", "reason": "begun"})

    def _changes(self) -> None:
        told = responsibility.Part.TOLD
        assigned = self.registry.assign(
            self.system.id,
            responsibility.Assign(scope="bearer:deployer", part=told, person_id=self.person, reason="ours"),
            by=OWNER,
        )
        self.known["assignment_id"] = assigned.id
        self.registry.describe(self.other.id, FACTS.replace("energy_supply", "office_productivity"), by=OWNER)
        duty = {"scope": "bearer:provider", "part": "told", "reason": "answers for it"}
        self.add(f"GET {SYSTEM}/changes")
        self.add(f"POST {SYSTEM}/changes/preview", {"descriptor": FACTS})
        self.add(f"POST {SYSTEM}/changes/put-back", {"version": 1}, system_id=self.other.id)
        self.add(f"GET {SYSTEM}/responsibility")
        self.add(f"GET {SYSTEM}/responsibility/export")
        self.add(f"GET {SYSTEM}/rights")
        self.add(f"POST {SYSTEM}/responsibility", {**duty, "person_id": self.person})
        handed = {"scope": "bearer:provider", "part": "accountable", "reason": "leaves"}
        self.add(
            f"POST {SYSTEM}/responsibility/hand-overs",
            {**handed, "from_person": self.person, "to_person": self.overseer},
        )
        self.add(f"POST {SYSTEM}/responsibility/ends", {"assignment_id": assigned.id, "reason": "over"})

    def _things(self) -> None:
        model = self._model("通用模型")
        link = self._link(self.system, model.id)
        first, second, third = (self._version(self.system.id, label) for label in "123")
        with self.registry._sql.begin() as tx:  # what the gate does, inside its own transaction
            self.registry._promote(tx, first, OWNER, "through the gate")
            self.registry._promote(tx, second, OWNER, "through the gate")
        self.known |= {"thing_id": model.id, "link_id": link, "subject_id": model.id, "version_id": third}
        thing, subject = {"thing_id": model.id}, {"subject_id": self.system.id}
        self.add(f"GET {ROOT}/things")
        self.add(f"GET {ROOT}/things/schemas")
        self.add(f"GET {ROOT}/things/{{thing_id}}", **thing)
        self.add(f"GET {ROOT}/things/{{thing_id}}/systems", **thing)
        self.add(f"POST {ROOT}/things", {"kind": "model", "name_zh": "另一个模型", "details": {"parameters": 7}})
        changed = {"revision": 1, "reason": "drill", "licence": "MIT"}
        self.add(f"PATCH {ROOT}/things/{{thing_id}}", changed, **thing)
        self.add(f"GET {SYSTEM}/parts")
        new = {"thing_id": self._model("词向量").id, "relation": "uses_model"}
        self.add(f"POST {SYSTEM}/parts", new)
        self.add(f"POST {ROOT}/links/{{link_id}}/end", {"reason": "replaced"}, link_id=link)
        self.add(f"GET {ROOT}/subjects/{{subject_id}}/versions", **subject)
        self.add(f"GET {ROOT}/subjects/{{subject_id}}/diff", query={"of": "versions"}, **subject)
        self.add(f"POST {ROOT}/subjects/{{subject_id}}/versions", {"label": "4", "made_by": "王敏"}, **subject)
        self.add(f"GET {ROOT}/versions/{{version_id}}", version_id=third)
        self.add(f"POST {ROOT}/versions/{{version_id}}/withdraw", {"reason": "faulty"}, version_id=third)
        self.add(f"POST {ROOT}/versions/{{version_id}}/roll-back", {"reason": "errors grew"}, version_id=first)

    def _model(self, name: str) -> things.Thing:
        return self.registry.register_thing(things.RegisterThing(kind=ThingKind.MODEL, name_zh=name), by=OWNER)

    def _link(self, system: System, thing_id: str) -> str:
        asked = things.LinkThing(thing_id=thing_id, relation=things.Relation.USES_MODEL)
        return self.registry.link_thing(system.id, asked, by=OWNER).id

    def _version(self, subject_id: str, label: str) -> str:
        asked = things.ProposeVersion(label=label, digest=MADE)
        return self.registry.propose_version(subject_id, asked, by=OWNER).id

    def _identity(self) -> None:
        party = {"party_id": self.system.provider_id}
        given = self.registry.identify(
            party["party_id"],
            identity.Identify(scheme=identity.Scheme.OTHER, value="A-1", named="House number"),
            by=OWNER,
        )
        self.known["identifier_id"] = given.id
        seal = self.registry.party_view(self.other.provider_id).seal
        self.add(f"GET {ROOT}/identifiers", query={"scheme": "lei", "value": "529900T8BM49AURSDO55"})
        self.add(f"GET {ROOT}/parties/{{party_id}}/identity", **party)
        self.add(
            f"PATCH {ROOT}/parties/{{party_id}}/identity",
            {"seal": seal, "reason": "moved", "contact": "desk@service.example"},
            party_id=self.other.provider_id,
        )
        self.add(
            f"POST {ROOT}/parties/{{party_id}}/identifiers",
            {"scheme": "lei", "value": "529900T8BM49AURSDO55"},
            **party,
        )
        self.add(
            f"DELETE {ROOT}/parties/{{party_id}}/identifiers/{{identifier_id}}",
            query={"reason": "mistyped"},
            identifier_id=given.id,
            **party,
        )

    def _notes(self) -> None:
        about = self.system.id
        one, two = (
            self.registry.attach(about, f"{name}.txt", [name.encode()], stated_type="text/plain", by=self.admin).id
            for name in ("minutes", "draft")
        )
        said, gone = (
            self.registry.comment(notes.Say(subject_id=about, text=text), by=self.admin).id for text in ("read", "oops")
        )
        task, done = (
            self.registry.assign_task(notes.Assign(subject_id=about, title=title), by=self.admin).id
            for title in ("check", "done")
        )
        self.registry.finish_task(done, by=self.admin)
        self.known |= {"attachment_id": one, "comment_id": said, "task_id": task, "about": about}
        files, comments, tasks = (f"{ROOT}/{name}" for name in ("attachments", "comments", "tasks"))
        self.add(f"GET {files}", query={"about": about})
        self.add(f"POST {files}", {"subject_id": about, "file": b"logs"})
        self.ordinary[f"POST {files}"]["media_type"] = "multipart/form-data"
        self.add(f"GET {files}/{{attachment_id}}", attachment_id=one)
        self.add(f"GET {files}/{{attachment_id}}/content", attachment_id=one)
        self.add(f"POST {files}/{{attachment_id}}/withdraw", {"reason": "wrong file"}, attachment_id=two)
        self.add(f"GET {comments}", query={"about": about})
        self.add(f"POST {comments}", {"subject_id": about, "text": "looked at it"})
        self.add(f"PATCH {comments}/{{comment_id}}", {"text": "read twice"}, comment_id=said)
        self.add(f"POST {comments}/{{comment_id}}/delete", comment_id=gone)
        self.add(f"GET {tasks}")
        self.add(f"POST {tasks}", {"subject_id": about, "title": "Ask the supplier", "due": self.until})
        self.add(f"PATCH {tasks}/{{task_id}}", {"title": "Ask again"}, task_id=task)
        self.add(f"POST {tasks}/{{task_id}}/done", task_id=task)
        self.add(f"POST {tasks}/{{task_id}}/reopen", task_id=done)

    def _jobs(self) -> None:
        asked = [self.registry.ask_job(asking(self.other.id), by=RUNNER).id for _ in range(3)]
        ours = [self._granted().id for _ in range(2)]
        self.registry.start_job(ours[1], StartJob(datasets=(DATA,), config=CONFIG), by=self.admin)
        ended = self._granted().id
        self.registry.start_job(ended, StartJob(datasets=(DATA,), config=CONFIG), by=self.admin)
        self.known["job_id"] = asked[0]
        jobs = f"{ROOT}/jobs"
        job = f"{jobs}/{{job_id}}"
        plan = {"datasets": [DATA], "flop": 1e9, "steps": 100, "config": CONFIG}
        self.add(f"GET {jobs}")
        body = {"kind": "training", "system_id": self.other.id, "purpose": "new quarter", "plan": plan}
        self.add(f"POST {jobs}", body)
        self.add(f"GET {job}", job_id=asked[0])
        grant = granting(self.other)
        given = {"person_id": grant.person_id, "reason": grant.reason, "looked_at": grant.looked_at}
        self.add(f"POST {job}/grant", given, job_id=asked[0])
        self.add(f"POST {job}/refuse", {"reason": "not now"}, job_id=asked[1])
        self.add(f"POST {job}/stop", {"reason": "enough"}, job_id=asked[2])
        self.add(f"POST {job}/start", {"datasets": [DATA], "config": CONFIG}, job_id=ours[0])
        report = {"number": 1, "step": 3, "flop": 10.0, "metrics": {"loss": 0.5}}
        self.add(f"POST {job}/reports", report, job_id=ours[1])
        self.add(f"POST {job}/finish", {"outcome": "finished", "artefact": MADE, "label": "9"}, job_id=ended)

    def _granted(self) -> Any:
        job = self.registry.ask_job(asking(self.other.id, JobKind.TRAINING), by=self.admin)
        return self.registry.grant_job(job.id, granting(self.other), by=OWNER)

    def _offices(self) -> None:
        office = self.registry.register_party(
            RegisterParty(name="Market Surveillance Office", kind=PartyKind.AUTHORITY), by=OWNER
        )
        self.registry.set_up_office(
            supervision.SetUpOffice(party_id=office.id, jurisdiction="eu", zone="Europe/Dublin"), by=self.officer
        )
        self.add(f"GET {ROOT}/offices")
        self.add(f"POST {ROOT}/offices", {"party_id": office.id, "jurisdiction": "eu", "zone": "Europe/Paris"})
        self.add(f"POST {ROOT}/offices/officers", {"actor_id": "usr_second"})

    def _cases(self) -> None:
        cases = f"{ROOT}/cases"
        case, step = f"{cases}/{{case_id}}", f"{cases}/{{case_id}}/steps/{{step_id}}"
        opened = {"system_id": self.system.id, "about": "Logs", "basis": [GROUND]}
        one, other, third, empty = (self._case() for _ in range(4))
        asked = self._served(one, StepKind.QUESTION, days=7, files=(b"minutes",))
        proven = self._served(third, StepKind.QUESTION, days=7)
        self._served(other, StepKind.FACT)
        self._served(other, StepKind.HEARING, days=5)
        self.registry.answer_case(other, supervision.AnswerCase(text="Six months."), by=self.admin)
        decided = self._served(other, StepKind.DECISION, outcome=Outcome.WARNING, appeal_days=30)
        drafts = [self._draft(one, StepKind.FACT) for _ in range(2)]
        digest = asked.files[0].digest
        self.known |= {"case_id": one, "step_id": drafts[0].id, "digest": digest}
        body = {"kind": "question", "text": "How long?", "contest": CONTEST, "basis": [GROUND], "days": 7}
        self.add(f"GET {cases}")
        self.add(f"POST {cases}", opened)
        self.add(f"GET {case}", case_id=one)
        self.add(f"DELETE {case}", case_id=empty)
        self.add(f"POST {case}/drafts", body, case_id=one)
        self.add(f"DELETE {case}/drafts/{{step_id}}", case_id=one, step_id=drafts[1].id)
        self.add(f"POST {case}/drafts/{{step_id}}/service", {}, case_id=one, step_id=drafts[0].id)
        self.add(f"GET {step}/files/{{digest}}", case_id=one, step_id=asked.id, digest=digest)
        self.add(f"POST {step}/receipt", case_id=one, step_id=asked.id)
        self.add(f"POST {case}/answers", {"text": "Six months."}, case_id=one)
        proof = {"on": self.registry.today().isoformat(), "note": "signed for at the desk"}
        self.add(f"POST {step}/proof", proof, case_id=third, step_id=proven.id)
        summary = {"summary_zh": "已警告。", "summary_en": "Warned."}
        self.add(f"POST {step}/publication", summary, case_id=other, step_id=decided.id)
        self.add(f"GET {cases}/decisions/{{system_id}}")

    def _case(self) -> str:
        asked = supervision.OpenCase(system_id=self.system.id, about="Logs", basis=(GROUND,))
        return self.registry.open_case(asked, by=self.officer).id

    def _draft(self, case_id: str, kind: StepKind, *, files: tuple[bytes, ...] = (), **more: Any) -> Any:
        step = supervision.WriteStep(kind=kind, text="On it.", basis=(GROUND,), contest=CONTEST, **more)
        given = [supervision.FileIn(name="a.txt", content=content) for content in files]
        return self.registry.draft_step(case_id, step, files=given, by=self.officer)

    def _served(self, case_id: str, kind: StepKind, **more: Any) -> Any:
        return self.registry.serve_step(case_id, self._draft(case_id, kind, **more).id, by=self.officer)

    def _imports(self) -> None:
        batches = [self._batch(suffix) for suffix in ("east", "west")]
        entered = self.registry.import_items(batches[0]).items[0].system_id
        batch = {"batch_id": batches[0]}
        self.known |= batch
        self.add(f"GET {ROOT}/imports")
        self.add(f"POST {ROOT}/imports", {"name": "a.csv", "content": _table("north"), "mapping": MAPPING})
        self.add(f"GET {ROOT}/imports/{{batch_id}}", **batch)
        self.add(f"GET {ROOT}/imports/{{batch_id}}/records", **batch)
        self.add(f"POST {ROOT}/imports/{{batch_id}}/undo", {"reason": "wrong file"}, batch_id=batches[1])
        self.add(f"GET {SYSTEM}/import-proof", system_id=entered)

    def _batch(self, suffix: str) -> str:
        files = [File(name=f"{suffix}.csv", content=_table(suffix).encode())]
        return self.registry.import_files(files, Wish(mapping=MAPPING), by=OWNER).id

    def _forms(self) -> None:
        filing = self.registry.file_form(self.system.id, FORM, by=self.admin)
        self.known |= {"form_id": FORM, "filing_id": filing.id}
        form = f"{SYSTEM}/forms/{{form_id}}"
        asked = self.registry.filled(self.system.id, FORM).missing
        self.add(f"GET {ROOT}/forms")
        self.add(f"GET {form}", form_id=FORM)
        self.add(f"PUT {form}", {"answers": {one.field.id: "填写" for one in asked}}, form_id=FORM)
        self.add(f"POST {form}/filings", {"is_submitted": False}, form_id=FORM)
        self.add(f"GET {SYSTEM}/filings")
        self.add(f"POST {ROOT}/filings/{{filing_id}}/number", {"number": "No. 1"}, filing_id=filing.id)

    def _search(self) -> None:
        kept, dropped, restored = (self._view(name) for name in ("kept", "dropped", "restored"))
        self.registry.delete_view(restored, by=self.admin)
        bulk = self.registry.order_bulk(
            search.BulkOrder(kind=search.BulkKind.ADD_TAG, value="pilot", systems=(self.system.id,)), by=self.admin
        )
        self.registry.step_bulk(bulk.id)
        self.known |= {"view_id": kept, "bulk_id": bulk.id}
        order = {"kind": "add_tag", "value": "second", "systems": [self.system.id]}
        view, act = f"{ROOT}/views/{{view_id}}", f"{ROOT}/bulk/{{bulk_id}}"
        self.add(f"GET {ROOT}/search", query={"text": "forecast"})
        self.add(f"GET {ROOT}/search/export")
        self.add(f"GET {ROOT}/views")
        self.add(f"POST {ROOT}/views", {"name": "ours", "question": {"text": "forecast"}})
        self.add(f"GET {view}", view_id=kept)
        self.add(f"DELETE {view}", view_id=dropped)
        self.add(f"POST {view}/restore", view_id=restored)
        self.add(f"GET {SYSTEM}/tags")
        self.add(f"POST {SYSTEM}/tags", {"add": "trial"})
        self.add(f"POST {ROOT}/bulk/preview", order)
        self.add(f"POST {ROOT}/bulk", {**order, "expected": 1})
        self.add(f"GET {act}", bulk_id=bulk.id)
        self.add(f"GET {act}/items", bulk_id=bulk.id)

    def _view(self, name: str) -> str:
        return self.registry.save_view(search.SaveView(name=name), by=self.admin).id

    def _publication(self) -> None:
        wish = publication.Publish(reason="Open to all", cleared="An ordinary service")
        shown, ended = (forecast(self.registry) for _ in range(2))
        for system in (shown, ended):
            self.registry.publish(system.id, wish, by=OWNER)
        body = {"reason": wish.reason, "cleared": wish.cleared}
        own = f"{SYSTEM}/publication"
        self.add(f"GET {own}")
        self.add(f"GET {own}/preview")
        self.add(f"POST {own}", body)
        self.add(f"POST {own}/end", {"reason": "Closed"}, system_id=ended.id)
        self.add(f"POST {ROOT}/publications", {"decision": body, "ids": [self.other.id]})
        public = "/api/public/systems"
        self.add(f"GET {public}")
        self.add(f"GET {public}.csv")
        self.add(f"GET {public}/{{system_id}}", system_id=shown.id)
        self.add(f"GET {public}/{{system_id}}/versions/{{version}}", system_id=shown.id, version=1)
        self.add(f"GET {public}/{{system_id}}/versions/{{version}}/proof", system_id=shown.id, version=1)
        self.known["system"] = shown.id


def _table(name: str) -> str:
    """The same table about other systems."""
    return TABLE.replace("Claim triage", f"Claim triage {name}").replace("Chat helper", f"Chat helper {name}")


def filled(api: Api) -> tuple[Api, dict[str, How]]:
    """Fill the register; return the API with what is in it now, and the ordinary way to ask each operation."""
    made = Filled(api)
    return replace(api, known={**api.known, **made.known}), made.ordinary
