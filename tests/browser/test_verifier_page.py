"""The stranger's page in a real browser, opened from a file with no network: it agrees with the house and the Python file."""

import base64
import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.browser.conftest import assert_accessible
from tests.rooms.ledger import verifier_cases as cases
from tests.rooms.ledger.conftest import Desk
from tests.rooms.ledger.ed25519_cases import edge_cases, house_says, vectors
from tests.rooms.ledger.test_doors import build
from tests.rooms.ledger.verifier_cases import BAD, NO, YES, Asked, ask_house, ask_script

from safebelt.engines.signing import Signer
from safebelt.kernel import merkle
from safebelt.rooms.ledger.room import ROOM
from safebelt.rooms.ledger.verifier import PAGE, tools, write_tools
from safebelt.web.headers import add_security_headers

pytestmark = pytest.mark.browser

PATHS = ("own", "web")
ASK = """async ([questions, only]) => {
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)), said = [];
  for (const { data, key, asked } of questions) {
    try {
      const found = await safebeltVerifier.judge(bytes(data), { key, as: asked, only });
      said.push(found.holds && found.proven ? "yes" : found.holds || found.proven ? "torn" : "no");
    } catch (error) { said.push("field" in error ? "bad use" : String(error)); }
  }
  return said;
}"""
SIGNED = """async (cases) => {
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)), said = [];
  for (const [key, signature, message] of cases.map((one) => one.map(bytes)))
    said.push([safebeltVerifier.ownVerify(key, signature, message), await safebeltVerifier.webVerify(key, signature, message)]);
  return said;
}"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    found = cases.real_desk(tmp_path_factory.mktemp("receipts"))
    yield found
    found.sql.close()


@pytest.fixture(scope="module")
def good(desk: Desk) -> list[Asked]:
    return cases.real_questions(desk)


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """The page as a stranger has it: a file in a folder, in a browser without a network; anything asked for fails the test."""
    write_tools(tmp_path)
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB", offline=True)
    found = context.new_page()
    wrong: list[str] = []
    found.on("console", lambda message: wrong.append(message.text) if message.type in {"error", "warning"} else None)
    found.on("pageerror", lambda error: wrong.append(str(error)))
    found.on("request", lambda request: wrong.append(request.url) if not request.url.startswith("data:") else None)
    found.goto((tmp_path / PAGE).as_uri())
    assert wrong.pop(0) == (tmp_path / PAGE).as_uri()
    yield found
    context.close()
    assert not wrong, "the page complained, or asked for something:\n" + "\n".join(wrong)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def ask_page(page: Any, asked: list[Asked], only: str | None) -> list[str]:
    questions = [{"data": encoded(each.data), "key": each.key, "asked": each.asked} for each in asked]
    answers: list[str] = page.evaluate(ASK, [questions, only])
    return answers


# --- three judges ------------------------------------------------------------------------------------------------


def test_three_judges_agree_about_whatever_happens_to_real_receipts_and_nothing_changed_is_included(
    page, good: list[Asked]
) -> None:
    chance, script = random.Random(cases.SEED), cases.load_script()
    whole = [*good, *(each for one in good for each in cases.harmless(one))]
    changed = [each for one in good if one.what in cases.MUTATED for each in cases.mutations(one, chance)]
    asked = [*whole, *changed]

    answers = [[ask_house(each) for each in asked], [ask_script(script, each) for each in asked]]
    answers += [ask_page(page, asked, only) for only in PATHS]

    said = {each.what: set(of_each) for each, of_each in zip(asked, zip(*answers, strict=True), strict=True)}
    assert {what: each for what, each in said.items() if len(each) > 1} == {}
    assert {what for what, each in said.items() if each == {YES}} == {each.what for each in whole}
    assert len(changed) > 700
    assert {BAD, NO} == set().union(*(said[each.what] for each in changed))


def test_three_judges_agree_about_what_a_log_signs_oddly(page) -> None:
    script, asked = cases.load_script(), list(cases.odd_questions())

    answers = [[ask_house(each) for each in asked], [ask_script(script, each) for each in asked]]
    answers += [ask_page(page, asked, only) for only in PATHS]

    said = {each.what: set(of_each) for each, of_each in zip(asked, zip(*answers, strict=True), strict=True)}
    assert {what: each for what, each in said.items() if len(each) > 1} == {}
    assert set().union(*said.values()) == {YES, NO}
    assert set(ask_page(page, list(cases.stricter_questions()), "own")) == {NO}


def test_without_being_told_it_finds_out_what_a_file_is(page, good: list[Asked]) -> None:
    checkpoint = good[0].data.partition(b"\n\n")[2]

    found = page.evaluate(
        "async (given) => { const said = []; for (const [text, key] of given) { const found = await safebeltVerifier.judge("
        "new TextEncoder().encode(text), { key }); said.push([found.as, found.holds]); } return said; }",
        [*([one.data.decode(), one.key] for one in good), [checkpoint.decode(), good[0].key]],
    )

    assert found == [*([each.asked, True] for each in good), ["checkpoint", True]]


# --- arithmetic --------------------------------------------------------------------------------------------------


def test_signatures_are_judged_as_the_houses_library_does_or_more_strictly_by_both_implementations(page) -> None:
    script, asked = cases.load_script(), [*vectors(), *edge_cases()]

    said = page.evaluate(
        SIGNED, [[encoded(each.public), encoded(each.signature), encoded(each.message)] for each in asked]
    )

    assert {type(web) for _, web in said} == {bool}, "this browser has no Ed25519 of its own: one path went untested"
    for each, (own, web) in zip(asked, said, strict=True):
        assert own is web is script.has_signed(each.public, each.signature, each.message), each.what
        assert house_says(each) or not own, each.what
    assert [own for own, _ in said[:4]] == [True] * 4


def test_hashes_are_those_of_the_standard_library_at_every_length_where_padding_turns(page) -> None:
    texts = [bytes(range(256)) * 2, *(b"\xa5" * length for length in range(260)), b"x" * 70_000]

    found = page.evaluate(
        "(texts) => texts.map((text) => { const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0)); return [safebeltVerifier."
        "sha256(bytes), safebeltVerifier.sha512(bytes)].map((hash) => [...hash].map((b) => b.toString(16).padStart(2, '0')).join('')); })",
        [encoded(each) for each in texts],
    )

    assert found == [[hashlib.sha256(each).hexdigest(), hashlib.sha512(each).hexdigest()] for each in texts]


def test_every_tree_up_to_33_leaves_is_walked_rightly(page) -> None:
    leaves = [merkle.leaf_hash(bytes([number])) for number in range(33)]
    places, growths = [], []
    for size in range(1, 34):
        reader, top = merkle.node_reader(leaves[:size]), encoded(merkle.root(leaves[:size]))
        for index in range(size):
            path = [encoded(each) for each in merkle.inclusion_path(index, size, reader)]
            places.append([index, size, encoded(leaves[index]), path, top])
        for old in range(1, size + 1):
            path = [encoded(each) for each in merkle.consistency_path(old, size, reader)]
            growths.append([old, size, path, encoded(merkle.root(leaves[:old])), top])

    seen = page.evaluate(
        """([places, growths]) => {
          const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)), other = new Uint8Array(32), { isIncluded, isPrefix } = safebeltVerifier;
          return [
            places.every(([i, n, leaf, path, top]) => isIncluded(BigInt(i), BigInt(n), bytes(leaf), path.map(bytes), bytes(top))),
            places.some(([i, n, leaf, path, top]) => isIncluded(BigInt(i), BigInt(n), bytes(leaf), [...path.map(bytes), other], bytes(top))
              || isIncluded(BigInt(i), BigInt(n), other, path.map(bytes), bytes(top)) || isIncluded(BigInt(i + n), BigInt(n), bytes(leaf), path.map(bytes), bytes(top))),
            growths.every(([o, n, path, old, top]) => isPrefix(BigInt(o), BigInt(n), path.map(bytes), bytes(old), bytes(top))),
            growths.some(([o, n, path, old, top]) => isPrefix(BigInt(o), BigInt(n), [...path.map(bytes), other], bytes(old), bytes(top))
              || isPrefix(BigInt(o), BigInt(n), path.map(bytes), other, bytes(top)) || isPrefix(0n, BigInt(n), path.map(bytes), bytes(old), bytes(top))),
          ];
        }""",
        [places, growths],
    )

    assert seen == [True, False, True, False]


# --- people ------------------------------------------------------------------------------------------------------


def fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_it_is_read_by_anybody_in_both_languages_on_a_telephone_and_on_paper(page, good: list[Asked], tmp_path) -> None:
    (tmp_path / "good.tlog-proof").write_bytes(good[3].data)
    (tmp_path / "bad.tlog-proof").write_bytes(good[3].data.replace(b"index 32", b"index 33"))
    assert page.title() == "Check a receipt"
    for to, yes, no in (("#to-zh", "已载入", "未载入"), ("#to-en", "Included", "Not included")):
        page.click(to)
        assert_accessible(page)
        page.click("#clear")
        page.fill("#key", good[3].key)
        for name, verdict in (("good", yes), ("bad", no)):
            page.set_input_files("#file", tmp_path / f"{name}.tlog-proof")
            page.click("button[type=submit]")
            heading = page.locator("#verdict")
            heading.filter(has_text=verdict).wait_for()
            assert heading.inner_text().startswith(verdict)
            assert page.evaluate("document.activeElement.id") == "verdict"
            assert_accessible(page)
            for width in (320, 390, 1280):
                page.set_viewport_size({"width": width, "height": 800})
                assert fits(page)
    page.emulate_media(media="print")
    assert page.locator("#verdict").is_visible()
    assert not page.locator("form").is_visible()


def test_it_is_used_with_the_keyboard_alone_and_says_what_was_proven(page, good: list[Asked]) -> None:
    page.focus("#text")
    page.keyboard.insert_text(good[1].data.decode().strip().replace("\n", "\r\n"))
    page.keyboard.press("Tab")
    page.keyboard.insert_text(good[1].key)
    reached = []
    while "Check" not in (reached or [""])[-1] and len(reached) < 9:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.innerText || document.activeElement.id"))
    page.keyboard.press("Enter")

    page.locator("#verdict").wait_for()
    proven = page.locator("#proven").inner_text()
    assert page.locator("#verdict").inner_text().startswith("Included")
    assert all(word in proven for word in ("Who", "When", "Kind", "Subject", "Data", "Index", cases.ORIGIN))
    assert page.locator(".limits").inner_text().endswith("it is no approval.")
    assert reached[0] == "remember"
    assert page.locator("ol.steps li.good").count() == 4


def test_an_error_says_what_to_do_and_leads_to_the_field(page, good: list[Asked]) -> None:
    for text, key, says, field in (
        ("", good[0].key, "Choose the receipt's file", "text"),
        ("hello", good[0].key, "This is not a receipt", "text"),
        (good[0].data.decode(), "", "Enter the log's public key", "key"),
        (good[0].data.decode(), "no key", "not a log's verifier key", "key"),
    ):
        page.fill("#text", text)
        page.fill("#key", key)
        page.click("button[type=submit]")
        link = page.locator("#result a").filter(has_text=says)
        link.wait_for()
        assert page.locator("#verdict").count() == 0
        assert_accessible(page)
        link.click()
        assert page.evaluate("document.activeElement.id") == field


def test_a_file_with_changed_line_ends_is_told_why(page, good: list[Asked], tmp_path) -> None:
    (tmp_path / "mailed").write_bytes(good[0].data.replace(b"\n", b"\r\n"))
    page.set_input_files("#file", tmp_path / "mailed")
    page.fill("#key", good[0].key)
    page.click("button[type=submit]")

    page.locator("#verdict").wait_for()
    assert page.locator("#verdict").inner_text().startswith("Not included")
    assert "line ends were changed" in page.locator("li.bad").inner_text()
    assert "not evaluated" in page.locator("#result").inner_text()


def test_files_may_be_dropped_and_a_dropped_key_goes_where_keys_go(page, good: list[Asked]) -> None:
    drop = """([name, text]) => { const given = new DataTransfer(); given.items.add(new File([text], name));
      document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: given, bubbles: true, cancelable: true })); }"""
    page.evaluate(drop, ["log.pub", f"{good[0].key}\n"])
    page.wait_for_function("document.getElementById('key').value !== ''")
    page.evaluate(drop, ["r.tlog-proof", good[0].data.decode()])
    page.locator("#chosen", has_text="r.tlog-proof").wait_for()
    page.click("button[type=submit]")

    page.locator("#verdict").wait_for()
    assert page.input_value("#key") == good[0].key
    assert page.locator("#verdict").inner_text().startswith("Included")


def test_the_key_is_remembered_only_where_that_is_ticked(page, good: list[Asked]) -> None:
    def after(*, is_ticked: bool) -> str:
        page.fill("#text", good[0].data.decode())
        page.fill("#key", good[0].key)
        page.set_checked("#remember", is_ticked)
        page.click("button[type=submit]")
        page.locator("#verdict").wait_for()
        page.evaluate("document.getElementById('text').value = ''")
        page.context.new_page().close()
        return str(page.evaluate("JSON.stringify({ ...localStorage })"))

    assert after(is_ticked=False) == "{}"
    assert json.loads(after(is_ticked=True)) == {"safebelt-verifier-key": good[0].key}
    assert after(is_ticked=False) == "{}"


def test_what_others_typed_is_shown_as_text_and_nothing_in_it_runs(page) -> None:
    signer = Signer.of(cases.ORIGIN, b"k" * 32)
    odd = cases.body(subject="<img src=x onerror=alert(1)>\u202e|</script>", data={"__proto__": "<b>", "toString": 1})
    page.fill("#text", cases.written(odd, signer))
    page.fill("#key", str(signer.verifier))
    page.click("button[type=submit]")

    page.locator("#verdict").wait_for()
    assert r"<img src=x onerror=alert(1)>\u{202e}|</script>" in page.locator("#proven").inner_text()
    assert '"__proto__": "<b>"' in page.locator("#proven").inner_text()
    assert page.locator("#result img, #result b b").count() == 0


def test_a_copy_whose_script_was_changed_by_a_character_does_not_run(browser, tmp_path: Path) -> None:
    (tmp_path / "forged.html").write_text(
        tools()[PAGE].body.decode().replace("isIncluded(index, top.size", "true || isIncluded(index, top.size")
    )
    context = browser.new_context(offline=True)
    forged = context.new_page()

    forged.goto((tmp_path / "forged.html").as_uri())

    assert forged.locator("#too-old").is_visible()
    assert forged.evaluate("typeof safebeltVerifier") == "undefined"
    context.close()


def test_witnesses_are_heard_as_the_python_file_hears_them(page) -> None:
    signer, script = Signer.of(cases.ORIGIN, b"k" * 32), cases.load_script()
    first, second, third = (cases.Witness(f"w{n}.example", bytes([n]) * 32) for n in (1, 2, 3))
    whole = cases.written(cases.body(), signer, size=7)
    text = whole.partition("\n\n")[2].partition("\n\n")[0] + "\n"
    signed = whole + first.line(text, 1_790_000_000) + second.line(text, 1_790_000_001)
    wrong = signed + third.line(text + "x\n", 1_790_000_002)
    asked = [
        (data, [each.key for each in given], quorum)
        for data in (whole, signed, wrong, whole + first.line(text, 2**63))
        for given in ([first], [first, second], [first, second, third], [third])
        for quorum in (None, 1, 2)
        if quorum is None or quorum <= len(given)
    ]

    heard = page.evaluate(
        "async ([asked, key]) => { const said = []; for (const [text, witness, quorum] of asked) { const found = await safebeltVerifier.judge("
        "new TextEncoder().encode(text), { key, witness: witness.join('\\n'), quorum }); said.push([found.holds, found.witnesses.map((one) => one.holds)]); } return said; }",
        [asked, str(signer.verifier)],
    )

    keys = script.read_keys([str(signer.verifier)], 1)
    for (data, given, quorum), of_page in zip(asked, heard, strict=True):
        found = script.judge(data.encode(), keys, "receipt", script.read_keys(given, 4), quorum or len(given))
        assert [found["holds"], [one["holds"] for one in found["witnesses"]]] == of_page
    assert {holds for holds, _ in heard} == {True, False}
    assert {each for _, voices in heard for each in voices} == {True, False, None}

    page.locator("summary").click()
    assert_accessible(page)
    for field, value in (
        ("text", signed),
        ("key", str(signer.verifier)),
        ("witness", f"{first.key}\n{third.key}"),
        ("quorum", "1"),
    ):
        page.fill(f"#{field}", value)
    page.click("button[type=submit]")
    page.locator("#verdict").wait_for()
    assert "2026-09-21T14:13:20" in page.locator("#result").inner_text()
    assert "not signed" in page.locator("li.skip").inner_text()


def test_served_by_the_house_it_works_under_its_own_policy(browser_page, serve, desk: Desk, good: list[Asked]) -> None:
    app = build(desk.ledger, actions=set())
    for controller in ROOM.pages:
        if not any(route.path.startswith(str(controller.path)) for route in app.routes):
            app.register(controller)
    app.before_send.append(add_security_headers)
    page = browser_page
    page.goto(f"{serve(app)}/zh/ledger/check#offline")
    assert_accessible(page)
    page.get_by_role("link", name="或直接打开").click()
    page.locator("#too-old").wait_for(state="detached")

    page.fill("#text", good[0].data.decode())
    page.fill("#key", good[0].key)
    page.click("button[type=submit]")

    page.locator("#verdict").wait_for()
    assert page.locator("#verdict").inner_text().startswith("已载入")
    assert_accessible(page)
