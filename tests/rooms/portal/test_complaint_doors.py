"""The doors of complaints: no cookie, no code in an address, nothing of a stranger runs here, and nothing leaks."""

import base64
import json
import re
from pathlib import Path

import pytest
from litestar.testing import TestClient
from tests.rooms.portal.complaints_house import OFFICER, OPERATOR, PNG, WORDS, Town, build_town
from tests.rooms.portal.house import build_app
from tests.rooms.registry.supervision_house import AUDITOR, ELSEWHERE

from safebelt.kernel.conditions import Truth
from safebelt.rooms.ledger.service import check, read_keys

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
BASE = "http://register.example"
SCRIPT = "<script>alert('x')</script>"


@pytest.fixture
def town(sql, clock, tmp_path: Path) -> Town:
    return build_town(sql, tmp_path, clock)


@pytest.fixture
def visitor(town: Town):
    with TestClient(build_app(town.portal), base_url=BASE) as client:
        yield client


def staff(town: Town, actor) -> TestClient:
    return TestClient(build_app(town.portal, actor=actor), base_url=BASE)


def send(visitor: TestClient, town: Town, *, files=(), headers=None, **more):
    data = {"text": WORDS, "kind": "harm", "system_id": town.system, "contact": "", "website": "", **more}
    parts = [("files", (name, content, "image/png")) for name, content in files] or [("nothing", ("", b""))]
    return visitor.post("/en/complaints", data=data, files=parts, headers=headers or {})


def code_of(page: str) -> str:
    return re.search(r'id="code">([0-9a-z-]+)<', page).group(1)


def test_a_visitor_complains_follows_adds_and_takes_the_receipt_without_any_cookie(town: Town, visitor) -> None:
    form = visitor.get(f"/en/complaints?system={town.system}")
    sent = send(visitor, town, contact="tel 5", files=(("shot.png", PNG),))
    code = code_of(sent.text)
    waiting = visitor.post("/en/complaints/receipt", data={"code": code, "part": "proof"})
    town.ledger.advance()
    proof = visitor.post("/en/complaints/receipt", data={"code": code, "part": "proof"})
    opening = visitor.post("/zh/complaints/receipt", data={"code": code, "part": "said"})
    added = visitor.post(
        "/zh/complaints/follow/add", data={"code": code, "text": "再补充一句"}, files=[("nothing", ("", b""))]
    )

    assert "Public Service Helper" in form.text and "_csrf" not in form.text
    assert "Market Surveillance Office" in sent.text and "明理科技有限公司" in sent.text
    assert "nearly ready" in waiting.text and "data-again" in waiting.text
    keys = read_keys("\n".join(map(str, town.ledger.verifier_keys())))
    assert check(proof.text, keys)[0].holds is Truth.TRUE
    assert json.loads(opening.text)["said"]["contact"] == "tel 5"
    assert "再补充一句" in added.text and "shot.png" in added.text
    answers = (form, sent, waiting, proof, opening, added)
    assert not [one.url for one in answers if "set-cookie" in one.headers]
    assert not [one.url for one in answers if code in str(one.url)]
    assert {one.headers["cache-control"] for one in answers} == {"no-store"}


def test_a_wrong_code_and_a_right_one_for_a_refused_act_come_back_with_the_form(town: Town, visitor) -> None:
    code = code_of(send(visitor, town).text)

    assert visitor.post("/en/complaints/follow", data={"code": "wrong"}).status_code == 404
    assert visitor.post("/en/complaints/receipt", data={"code": "wrong"}).status_code == 404
    assert visitor.post("/en/complaints/follow", data={}).status_code == 404
    assert visitor.post("/en/complaints/follow/erase", data={"code": code}).status_code == 422
    assert visitor.post("/en/complaints/follow/withdraw", data={"code": code}).status_code == 200
    assert visitor.post("/en/complaints/follow/withdraw", data={"code": code}).status_code == 409
    late = visitor.post(
        "/en/complaints/follow/add", data={"code": code, "text": "late"}, files=[("nothing", ("", b""))]
    )
    assert late.status_code == 409
    assert visitor.post("/en/complaints/follow/erase", data={"code": code, "sure": "yes"}).status_code == 200
    assert WORDS not in visitor.post("/en/complaints/follow", data={"code": code}).text


def test_hidden_and_unknown_systems_give_the_same_page_to_the_letter(town: Town, visitor) -> None:
    shown = [visitor.get(f"/en/complaints?system={one}").text.replace(one, "") for one in (town.hidden, "sys_nothing")]
    refused = [send(visitor, town, system_id=one) for one in (town.hidden, "sys_nothing")]
    papers = [visitor.get(f"/en/complaints/paper?system={one}").text.replace(one, "") for one in (town.hidden, "sys_x")]

    assert shown[0] == shown[1] and papers[0] == papers[1]
    assert "no such system" in shown[0]
    assert {one.status_code for one in refused} == {422}
    assert refused[0].text.replace(town.hidden, "") == refused[1].text.replace("sys_nothing", "")
    assert "Hidden Heron" not in "".join((*shown, *papers, *(one.text for one in refused)))


def test_a_form_that_another_site_sent_is_refused_and_one_from_here_is_not(town: Town, visitor) -> None:
    foreign = (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    )
    ours = ({"sec-fetch-site": "same-origin", "origin": BASE}, {"origin": BASE}, {})

    assert {send(visitor, town, headers=one).status_code for one in foreign} == {403}
    assert [send(visitor, town, headers=one, text=f"{n}").status_code for n, one in enumerate(ours, 100)] == [
        200,
        200,
        200,
    ]


def test_a_desk_s_form_still_wants_its_token(town: Town) -> None:
    filed = town.complain()
    with staff(town, OPERATOR) as operator:
        path = f"/en/portal/complaints/{filed.complaint.id}"
        assert operator.post(f"{path}/answer", data={"text": "An answer"}).status_code == 403
        token = re.search(r'_csrf_token" value="([0-9a-f]+)"', operator.get(path).text).group(1)
        done = operator.post(f"{path}/answer", data={"text": "An answer", "_csrf_token": token}, follow_redirects=False)
        assert done.status_code == 303


def test_too_much_is_told_with_its_reason_and_in_time(town: Town, visitor) -> None:
    big = send(visitor, town, files=(("a.png", PNG + b"0" * 4_000_001),))
    foreign = send(visitor, town, files=(("a.png", b"MZ a program\0"),))
    for number in range(6):
        send(visitor, town, text=f"complaint {number}")
    flood = send(visitor, town)

    assert (big.status_code, foreign.status_code, flood.status_code) == (422, 422, 429)
    assert "more than 4 MB" in big.text and "not taken" in foreign.text and "within an hour" in flood.text
    assert WORDS in flood.text  # what was typed is not lost


def test_what_a_stranger_wrote_is_shown_as_text_and_their_files_only_as_sealed_downloads(town: Town, visitor) -> None:
    sent = send(visitor, town, text=f"{SCRIPT} happened", contact=SCRIPT, files=((f"{SCRIPT}.png", PNG),))
    code = code_of(sent.text)
    case = re.search(r"cpl_[0-9a-z]{26}", sent.text).group()
    with staff(town, OPERATOR) as operator:
        page = operator.get(f"/en/portal/complaints/{case}").text
        path = re.search(r'href="(/en/portal/complaints/[^"]+/files/[^"]+)"', page).group(1)
        file = operator.get(path)

    for shown in (page, visitor.post("/en/complaints/follow", data={"code": code}).text):
        assert SCRIPT not in shown and "&lt;script&gt;" in shown
    assert file.content == PNG
    assert file.headers["content-disposition"].startswith("attachment;")
    assert (file.headers["x-content-type-options"], file.headers["content-type"]) == (
        "nosniff",
        "application/octet-stream",
    )
    assert file.headers["content-security-policy"].startswith("sandbox")


def test_files_and_texts_are_for_the_two_parties_only(town: Town) -> None:
    from safebelt.rooms.portal.model.complaints import FileIn

    filed = town.complain(files=(FileIn(name="a.png", content=PNG),))
    case = town.case(filed)
    path = f"/en/portal/complaints/{filed.complaint.id}"
    file = f"{path}/files/{case.said[0].id}/{case.said[0].files[0].digest}"

    for actor, status in ((OPERATOR, 200), (OFFICER, 200), (ELSEWHERE, 404), (AUDITOR, 403)):
        with staff(town, actor) as reader:
            assert (reader.get(path).status_code, reader.get(file).status_code) == (status, status)
            assert reader.get(f"/api/portal/complaints/{filed.complaint.id}").status_code == status
    with staff(town, OPERATOR) as reader:
        assert reader.get(f"{path}/files/{case.said[0].id}/{'0' * 64}").status_code == 404
        assert reader.get("/en/portal/complaints/cpl_x").status_code == 404


def test_programs_complain_follow_with_the_code_in_a_header_and_end_it(town: Town, visitor) -> None:
    body = {
        "text": WORDS,
        "kind": "privacy",
        "system_id": town.system,
        "files": [{"name": "n.txt", "content": base64.b64encode(b"note").decode()}],
    }
    made = visitor.post("/api/public/complaints", json=body)
    case, code = made.json()["id"], {"x-complaint-code": made.json()["code"]}
    here = f"/api/public/complaints/{case}"

    assert made.status_code == 201
    assert visitor.get(here, headers=code).json()["stage"] == "with_party"
    assert visitor.get(here).status_code == 404
    assert visitor.get(here.replace(case, "cpl_other"), headers=code).status_code == 404
    assert visitor.post(f"{here}/additions", json={"text": "More"}, headers=code).status_code == 201
    assert visitor.get(f"{here}/receipt", headers=code).json()["proof"] is None
    town.ledger.advance()
    assert "tlog-proof" in visitor.get(f"{here}/receipt", headers=code).json()["proof"]
    assert visitor.post(f"{here}/withdrawal", json={}, headers=code).status_code == 201
    assert visitor.delete(here, headers=code).status_code == 204
    assert [one["text"] for one in visitor.get(here, headers=code).json()["said"]] == ["", "", ""]
    assert "access-control-allow-origin" not in visitor.get(here, headers=code).headers
    assert visitor.post("/api/public/complaints", json={**body, "system_id": town.hidden}).status_code == 422


def test_the_desk_works_for_programs_too(town: Town) -> None:
    filed, other = town.complain(), town.complain("Second")
    with staff(town, OPERATOR) as operator:
        base = "/api/portal/complaints"
        assert operator.get(base).json()["total"] == 2
        assert operator.get(f"{base}?is_overdue=true").json()["total"] == 0
        case = f"{base}/{filed.complaint.id}"
        assert operator.post(f"{case}/answers", json={"text": "Sorry."}).json()["stage"] == "answered"
        assert operator.post(f"{case}/end", json={"text": "Done."}).json()["stage"] == "closed"
        assert operator.post(f"{case}/end", json={"text": "Done."}).status_code == 409
        passed = operator.post(
            f"{base}/{other.complaint.id}/pass", json={"reason": "Theirs", "office_id": town.bench.other.id}
        )
        assert passed.json()["stage"] == "passed_on"
        assert operator.post(f"{base}/{other.complaint.id}/apart", json={"is_apart": True}).json()["is_apart"] is True
        entered = operator.post(base, json={"text": "On paper", "kind": "other", "lang": "zh"})
        assert entered.status_code == 201 and entered.json()["channel"] == "paper" and len(entered.json()["code"]) == 26


def test_words_planted_in_a_complaint_are_at_no_public_door_and_in_no_log(town: Town, visitor, capsys, caplog) -> None:
    secrets = ("purple walrus", "walrus@private.example", "walrus-file", "walrus-answer")
    page = send(visitor, town, text=secrets[0], contact=secrets[1], files=((f"{secrets[2]}.png", PNG),)).text
    case, code = re.search(r"cpl_[0-9a-z]{26}", page).group(), code_of(page)
    town.complaints.answer(case, secrets[3], by=OPERATOR)
    town.ledger.advance()
    doors = [
        *(f"/{lang}/{path}" for lang in ("zh", "en") for path in ("register", f"register/{town.system}", "register/statistics", "register/feed.atom", "complaints", f"complaints?system={town.system}", "complaints/follow", "complaints/paper")),
        "/api/public/systems", "/api/public/systems.csv", f"/api/public/systems/{town.system}", f"/api/public/complaints/{case}", "/sitemap.xml?after=start",
    ]  # fmt: skip
    told = {door: visitor.get(door) for door in doors}
    entries = town.ledger.entries(limit=200)
    public = "".join(
        (
            *(one.text for one in told.values()),
            *(one.body.decode() for one in entries),
            *(str(one.personal) for one in entries),
        )
    )
    public += capsys.readouterr().out + capsys.readouterr().err + caplog.text
    files = [path.read_bytes() for path in (town.folder / "tiles").rglob("*") if path.is_file()]

    assert {one.status_code for one in told.values()} == {200, 404}
    for secret in (*secrets, code, code.replace("-", "")):
        assert secret not in public
        assert not [1 for body in files if secret.encode() in body]
    followed = visitor.post("/en/complaints/follow", data={"code": code}).text
    assert all(secret in followed for secret in secrets)  # the search would find them


def test_the_public_page_of_a_system_leads_to_the_form_with_it_filled_in(town: Town, visitor) -> None:
    page = visitor.get(f"/zh/register/{town.system}").text

    assert f"/zh/complaints?system={town.system}" in page
    assert "政务问答助手" in visitor.get(f"/zh/complaints?system={town.system}").text
