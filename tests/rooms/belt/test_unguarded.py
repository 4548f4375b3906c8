"""What can be named to pass unguarded, what a name means, and what takes two people: judgments, without a belt."""

from dataclasses import replace
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.belt.house import POLICY

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.belt.decide.minors import laid_over
from safebelt.rooms.belt.decide.red_lines import changed_red_lines
from safebelt.rooms.belt.decide.unguarded import guarded_in, is_plain, is_plain_query, opened, passes
from safebelt.rooms.belt.model import Policy, Unguarded
from safebelt.rooms.belt.proxy.gateway import EXCHANGES, _is_told, _misused
from safebelt.rooms.belt.proxy.wire import Request
from safebelt.rooms.belt.scanner.policies import read_kept, read_source

WHY = Text(zh="重排序", en="ranking")
ALL = ("DELETE", "GET", "PATCH", "POST", "PUT")
KNOWN = [*EXCHANGES, "/v1/videos/f1", "/v1/videos/f1/content", "/v1/models", "/v1/models/a/b"]


def named(*names: Unguarded, base: Policy = POLICY) -> Policy:
    return replace(base, unguarded=names)


def one(path: str = "/v1/rerank", *methods: str, **more: bool) -> Unguarded:
    return Unguarded(path=path, methods=methods or ("POST",), why=WHY, **more)


WIDEST = named(one("/v1/", *ALL, is_under=True, has_query=True))
"""What no file can say: everything.  Even so nothing guarded passes."""


def source(section: str, *, red: str = "false") -> bytes:
    return f"""
policy: house/basic
version: 1
title: {{zh: 规则, en: Rules}}
appeal: {{zh: 申诉, en: Appeal}}
rules:
  - {{id: words, kind: keywords, title: {{zh: 词, en: words}}, sides: [input], action: refuse, terms: [abc], red_line: {red}}}
unguarded:
{section}
""".encode()


def file_with(**of: object) -> bytes:
    of = {"methods": ["POST"], "why": {"zh": "重排序", "en": "ranking"}, **of}
    return source("  - " + ", ".join(["{" + ", ".join(f"{k}: {_yaml(v)}" for k, v in of.items()) + "}"]))


def _yaml(value: object) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)


def refused(content: bytes) -> str:
    with pytest.raises(Invalid) as caught:
        read_source(content)
    return caught.value.what.en


# ---------------------------------------------------------------------- names


def test_a_file_names_paths_and_beginnings_and_the_kept_version_says_the_same() -> None:
    policy = read_source(
        source(
            "  - {path: /v1/rerank, methods: [POST], why: {zh: 重排序, en: ranking}}\n"
            "  - {under: /v1/files/, methods: [GET, DELETE], query: true, why: {zh: 文件, en: files}}"
        )
    )

    assert policy.policy.unguarded == (
        Unguarded(path="/v1/rerank", methods=("POST",), why=WHY),
        Unguarded(
            path="/v1/files/",
            is_under=True,
            methods=("DELETE", "GET"),
            has_query=True,
            why=Text(zh="文件", en="files"),
        ),
    )
    assert read_kept(policy.content).policy == policy.policy


def test_a_policy_without_the_section_keeps_the_digest_it_always_had() -> None:
    with_none = read_source(source("").replace(b"unguarded:\n\n", b""))

    assert b"unguarded" not in with_none.content and with_none.policy.unguarded == ()


@pytest.mark.parametrize("path", KNOWN)
def test_no_file_can_name_a_guarded_endpoint(path: str) -> None:
    assert "guards" in refused(file_with(path=path))
    assert "guards" in refused(file_with(path=path.upper().replace("/V1", "/v1")))
    assert "guards" in refused(file_with(under=path + "/"))


@pytest.mark.parametrize(
    "path",
    [
        "/v1/engines/m/completions",
        "/v1/v1/chat/completions",
        "/v1/responses/resp_1",
        "/v1/threads/t/messages",
        "/v1/x/audio/speech.json",
        "/v1/Chat/Completions",
        "/v1/embeddings.v2",
    ],
)
def test_no_file_can_name_what_a_server_could_take_for_a_guarded_endpoint(path: str) -> None:
    assert "guards" in refused(file_with(path=path))


@pytest.mark.parametrize("under", ["/v1/", "/v1/chat/", "/v1/audio/", "/v1/images/", "/v1/AUDIO/"])
def test_no_beginning_covers_a_guarded_endpoint(under: str) -> None:
    assert "guards" in refused(file_with(under=under))


@pytest.mark.parametrize(
    "path",
    [
        "/rerank",
        "v1/rerank",
        "/v1",
        "/v1/",
        "/v1/rerank/",
        "/v1//rerank",
        "/v1/./rerank",
        "/v1/../rerank",
        "/v1/.hidden",
        "/v1/rer%61nk",
        "/v1/rerank?x=1",
        "/v1/rerank;x",
        "/v1/rerank#x",
        "/v1/重排",
        "/v1/rerank\n",
        "/v1/" + "a" * 200,
        "/mcp/tools",
        "/health",
        "http://host/v1/rerank",
    ],
)
def test_a_path_that_is_not_written_the_one_plain_way_cannot_be_named(path: str) -> None:
    assert "a path is written" in refused(file_with(path=path))


@pytest.mark.parametrize(
    "of", [{"path": "/v1/a", "under": "/v1/b/"}, {}, {"path": "/v1/a", "methods": ["POST", "POST"]}]
)
def test_a_name_says_one_thing_once(of: dict[str, object]) -> None:
    assert refused(file_with(**of))


def test_methods_that_cannot_pass_cannot_be_named_and_no_path_stands_twice() -> None:
    twice = "  - {path: /v1/a, methods: [GET], why: {zh: 一, en: a}}\n  - {path: /v1/a, methods: [PUT], why: {zh: 一, en: a}}"

    assert refused(file_with(path="/v1/a", methods=["HEAD"])) and refused(file_with(path="/v1/a", methods=[]))
    assert "stands 2 times" in refused(source(twice))
    assert refused(source("  []"))


def test_a_kept_version_that_names_what_is_guarded_by_now_can_be_read_and_lets_nothing_of_it_pass() -> None:
    kept = read_source(file_with(path="/v1/rerank")).content.replace(b"/v1/rerank", b"/v1/embeddings")

    policy = read_kept(kept).policy

    assert policy.unguarded[0].path == "/v1/embeddings"
    assert passes(policy, "POST", "/v1/embeddings") is None


# ---------------------------------------------------------------------- meaning


def test_a_name_means_its_path_by_its_methods_and_nothing_else() -> None:
    policy = named(one(), one("/v1/files/", "GET", is_under=True))

    assert passes(policy, "POST", "/v1/rerank") and passes(policy, "GET", "/v1/files/f-1/part.2")
    for method, path in [
        ("GET", "/v1/rerank"), ("post", "/v1/rerank"), ("POST", "/v1/Rerank"), ("POST", "/v1/rerank/"),
        ("POST", "/v1/rerank2"), ("POST", "/v1/rerank/x"), ("GET", "/v1/files"), ("GET", "/v1/files/"),
        ("GET", "/v1/files//x"), ("GET", "/v1/files/../rerank"), ("GET", "/v1/files/%2e%2e/x"), ("GET", "/v1/filesx"),
    ]:  # fmt: skip
        assert passes(policy, method, path) is None, (method, path)


def test_without_a_name_nothing_passes() -> None:
    assert passes(POLICY, "POST", "/v1/rerank") is None


@pytest.mark.parametrize("path", KNOWN)
def test_every_endpoint_the_belt_guards_or_screens_is_known_as_guarded(path: str) -> None:
    assert guarded_in(path)
    assert passes(WIDEST, "POST", path) is None


_CASES = st.sampled_from([str, str.upper, str.title, str.swapcase])
_PIECES = st.sampled_from(["", "/", "//", "/./", "/../", "/v1/", "/V1/", "%2f", "%2F", "%00", ";", ";a=b", ".", "..",
                           "?", "?x=1", "#", " ", "\\", "\u200b", "x", ".json", "/x", "*", "\t", "~", ":", "@"])  # fmt: skip


@st.composite
def _spellings(draw: st.DrawFn) -> str:
    """A guarded path, said in as many ways as servers are known to read alike, or as an attacker would try."""
    path = draw(st.sampled_from(KNOWN))
    segments = [draw(_CASES)(segment) for segment in path.split("/")[1:]]
    if draw(st.booleans()):
        place = draw(st.integers(0, len(segments) - 1))
        segments[place] = "".join(
            quote(char, safe="") if draw(st.booleans()) else f"%{ord(char):02x}" for char in segments[place]
        )
    joined = "".join(draw(_PIECES | st.just("/")) + segment for segment in segments)
    return draw(st.sampled_from(["", "/v1", "/v1/engines/m", "/v1/proxy", "http://h", "/"])) + joined + draw(_PIECES)


@settings(max_examples=800, deadline=None)
@given(_spellings(), st.sampled_from(ALL))
def test_no_spelling_of_a_guarded_path_passes_whatever_a_policy_names(path: str, method: str) -> None:
    exact = named(one(path, *ALL, has_query=True), one("/v1/", *ALL, is_under=True, has_query=True))
    passed = [policy for policy in (WIDEST, exact) if passes(policy, method, path)]

    # what does pass is not the guarded path any more: one of its segments is another word
    assert not passed or (is_plain(path) and not guarded_in(path))
    if passed:
        words = {segment.lower().partition(".")[0] for segment in path.split("/")}
        assert not words & {"completions", "embeddings", "messages", "moderations", "responses", "videos", "models"}


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet="/abcvV1.%-_~;:?#\\ \u200b\u0131", max_size=30), st.sampled_from(ALL))
def test_what_passes_is_written_in_the_one_plain_way(rest: str, method: str) -> None:
    path = "/v1/" + rest

    if passes(WIDEST, method, path):
        assert is_plain(path) and "//" not in path and "/." not in path and path.isascii() and not path.endswith("/")


def test_the_negative_control_a_plain_path_passes_under_the_widest_name() -> None:
    assert passes(WIDEST, "POST", "/v1/rerank") and passes(WIDEST, "GET", "/v1/files/a.b-c_d")


@settings(max_examples=400, deadline=None)
@given(_spellings(), st.sampled_from(ALL))
def test_the_gateway_lets_through_as_guarded_only_what_it_guards(target: str, method: str) -> None:
    request = Request(method=method, target=target, headers=(), body=b"")

    if _misused(request, WIDEST) is None:
        path = request.path
        is_guarded = path in EXCHANGES or path.startswith("/v1/videos/") or _is_told(path)
        assert is_guarded or passes(WIDEST, method, path)


@pytest.mark.parametrize("query", ["", "purpose=batch&limit=20", "after=f-1&tags[]=a", "q=%E4%B8%AD"])
def test_a_plain_query_may_stand(query: str) -> None:
    assert is_plain_query(query)


@pytest.mark.parametrize(
    "query",
    ["x=/v1/chat", "x=%2Fv1", "x=%2fv1", "a\\b", "x=%5c", "_method=POST", "x=1?y", "x;y", "x=%zz", "a b", "a" * 2001],
)
def test_a_query_that_could_lead_elsewhere_may_not(query: str) -> None:
    assert not is_plain_query(query)


# ---------------------------------------------------------------------- two people


def changes(old: Policy | None, new: Policy) -> list[str]:
    return [change.rule for change in changed_red_lines(old, new)]


def test_a_name_more_is_a_change_of_red_lines_and_a_name_less_is_none() -> None:
    closed, open_ = POLICY, named(one())

    assert changes(closed, open_) == ["unguarded /v1/rerank"]
    assert all(change.is_weaker for change in changed_red_lines(closed, open_))
    assert changes(open_, closed) == changes(open_, open_) == []


@pytest.mark.parametrize(
    "wider",
    [
        one("/v1/rerank", "GET", "POST"),
        one("/v1/rerank", has_query=True),
        one("/v1/score"),
        one("/v1/rerank/", is_under=True),
    ],
)
def test_a_name_that_lets_more_pass_is_one_too(wider: Unguarded) -> None:
    assert changes(named(one()), named(wider)) == [f"unguarded {wider.named}"]


def test_what_a_wider_name_covers_already_is_no_change() -> None:
    wide = named(one("/v1/files/", "GET", "POST", is_under=True, has_query=True))

    assert changes(wide, named(one("/v1/files/a/", is_under=True), one("/v1/files/x", "GET"))) == []


def test_where_no_red_line_is_drawn_one_person_is_enough() -> None:
    plain = replace(POLICY, rules=tuple(rule for rule in POLICY.rules if not rule.is_red_line))

    assert changes(plain, named(one(), base=plain)) == [] and opened(None, named(one(), base=plain)) == ()


def test_neither_a_new_policy_nor_red_lines_drawn_afterwards_are_a_way_around_the_second_person() -> None:
    plain = named(one(), base=replace(POLICY, rules=tuple(r for r in POLICY.rules if not r.is_red_line)))

    assert changes(None, named(one())) == ["unguarded /v1/rerank"]
    assert changes(plain, named(one())) == ["unguarded /v1/rerank"]
    assert "unguarded /v1/rerank" in changes(POLICY, plain)


# ---------------------------------------------------------------------- minors' mode


def test_in_minors_mode_only_what_both_policies_name_passes() -> None:
    base = named(one("/v1/rerank", "GET", "POST", has_query=True), one("/v1/score"))

    assert laid_over(base, POLICY).unguarded == ()
    assert laid_over(base, named(one())).unguarded == (one(),)


_NAMES = st.lists(
    st.builds(
        Unguarded,
        path=st.sampled_from(["/v1/a", "/v1/a/", "/v1/a/b", "/v1/a/b/"]),
        methods=st.sets(st.sampled_from(ALL), min_size=1).map(lambda found: tuple(sorted(found))),
        why=st.just(WHY),
        has_query=st.booleans(),
    ).map(lambda name: replace(name, is_under=name.path.endswith("/"))),
    unique_by=lambda name: name.path,
    max_size=3,
)
_ASKED = [(method, path) for method in ALL for path in ("/v1/a", "/v1/a/b", "/v1/a/b/c", "/v1/a/c")]


@settings(max_examples=300, deadline=None)
@given(_NAMES, _NAMES)
def test_a_version_that_opens_nothing_lets_nothing_pass_that_the_old_one_did_not(old: list, new: list) -> None:
    before, after = named(*old), named(*new)

    if not opened(before, after):
        for method, path in _ASKED:
            assert not passes(after, method, path) or passes(before, method, path)


@settings(max_examples=300, deadline=None)
@given(_NAMES, _NAMES)
def test_minors_mode_lets_nothing_pass_that_either_policy_does_not(mine: list, theirs: list) -> None:
    both = laid_over(named(*mine), named(*theirs))

    for method, path in _ASKED:
        if passes(both, method, path):
            assert passes(named(*mine), method, path) and passes(named(*theirs), method, path)
