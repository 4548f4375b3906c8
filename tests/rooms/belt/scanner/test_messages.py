"""Every text in a message is read, what cannot be read is named, and nothing else is touched."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safebelt.rooms.belt.scanner.messages import read_request, rewrite
from safebelt.rooms.belt.scanner.structured import is_json_request, is_structured

CHAT: dict[str, Any] = {
    "model": "m",
    "user": "end-user",
    "x_unknown": {"deep": ["kept"]},
    "messages": [
        {"role": "system", "content": "S"},
        {"role": "developer", "content": [{"type": "text", "text": "D", "cache": 1}]},
        {
            "role": "user",
            "name": "N",
            "content": [
                {"type": "text", "text": "U"},
                {"type": "image_url", "image_url": {"url": "data:"}},
                {"type": "input_audio", "input_audio": {}},
                {"type": "file", "file": {}},
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c", "function": {"name": "F", "arguments": '{"a": "A"}'}}],
        },
        {"role": "tool", "tool_call_id": "c", "content": "T"},
        {"role": "assistant", "refusal": "R", "function_call": {"name": "G", "arguments": "{}"}},
    ],
    "tools": [{"type": "function", "function": {"name": "F", "description": "FD", "parameters": {"type": "object"}}}],
}


def test_all_texts_of_a_chat_are_read_with_their_paths() -> None:
    reading = read_request(CHAT)

    texts = {part.path: part.text for part in reading.parts}
    assert texts["messages[0].content"] == "S"
    assert texts["messages[1].content[0].text"] == "D"
    assert texts["messages[2].name"] == "N"
    assert texts["messages[3].tool_calls[0].function.arguments"] == '{"a": "A"}'
    assert texts["messages[4].content"] == "T"
    assert texts["messages[5].refusal"] == "R"
    assert texts["tools[0].function.description"] == "FD"
    assert texts["user"] == "end-user"
    assert [part.path for part in reading.parts if part.is_json] == [
        "messages[3].tool_calls[0].function.arguments",
        "messages[5].function_call.arguments",
    ]


def test_what_is_no_text_is_named_and_never_taken_for_clean() -> None:
    assert read_request(CHAT).not_evaluated == (
        "messages[2].content[1] (image_url)",
        "messages[2].content[2] (input_audio)",
        "messages[2].content[3] (file)",
    )
    assert read_request({"messages": [{"content": 7}, "odd"]}).not_evaluated == (
        "messages[0].content (int)",
        "messages[1] (str)",
    )


@pytest.mark.parametrize("field", ["prompt", "input"])
def test_prompts_and_embedding_inputs_are_read_in_all_their_forms(field: str) -> None:
    assert [p.path for p in read_request({field: "a"}).parts] == [field]
    assert [p.path for p in read_request({field: ["a", "b"]}).parts] == [f"{field}[0]", f"{field}[1]"]
    assert read_request({field: [1, 2]}).not_evaluated == (f"{field} (tokens)",)
    assert read_request({field: [[1], "a", [2]]}).not_evaluated == (f"{field}[0] (tokens)", f"{field}[2] (tokens)")


@given(st.data())
def test_rewriting_changes_the_chosen_texts_and_nothing_else(data: st.DataObject) -> None:
    before, parts = deepcopy(CHAT), read_request(CHAT).parts
    chosen = data.draw(st.lists(st.sampled_from(parts), unique_by=lambda part: part.path))

    after = rewrite(CHAT, [(part, "changed") for part in chosen])

    assert before == CHAT
    again = {part.path: part.text for part in read_request(after).parts}
    expected = {part.path: part.text for part in parts} | {part.path: "changed" for part in chosen}
    assert again == expected
    assert after["x_unknown"] is CHAT["x_unknown"]
    back = rewrite(after, [(p, next(q.text for q in parts if q.path == p.path)) for p in read_request(after).parts])
    assert back == CHAT


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)
)


@given(
    json_values, st.sampled_from(["messages", "prompt", "input", "tools", "choices", "prediction", "response_format"])
)
def test_no_shape_of_a_body_breaks_the_reading(value: Any, field: str) -> None:
    for part in read_request({field: value}).parts:
        assert part.text


@pytest.mark.parametrize(
    ("request_", "text", "expected"),
    [
        ({}, "Hello, world.", False),
        ({}, "42", False),
        ({}, "{not json", False),
        ({"response_format": {"type": "text"}}, "hi", False),
        ({"tools": []}, "hi", False),
        ({}, '{"a": 1}', True),
        ({}, "Use this:\n```python\nx\n```", True),
        ({}, "<svg></svg>", True),
        ({"response_format": {"type": "json_object"}}, "hi", True),
        ({"tools": [{}]}, "hi", True),
        ({"grammar": "root ::= x"}, "hi", True),
        ({"guided_json": {}}, "hi", False),
        ({}, "[" * 100_000, False),
    ],
)
def test_answers_for_programs_are_told_from_answers_for_people(
    request_: dict[str, Any], text: str, expected: bool
) -> None:
    assert is_structured(request_, text) is expected


def test_json_mode_means_the_content_is_json_source() -> None:
    assert is_json_request({"response_format": {"type": "json_schema"}})
    assert not is_json_request({"tools": [{}]})
    assert json.loads("{}") == {}
