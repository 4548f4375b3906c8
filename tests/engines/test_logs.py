"""Every line is readable, and none tells a secret."""

import io
import json
import logging

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from safebelt.engines.logs import REDACTED, configure, redact

SECRETS = [
    "Authorization: Bearer abcdef123456789",
    "sk-proj-abcdefghijklmnop1234",
    "sbt_abcdefghijklmnop12345678",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "postgresql://me:hunter2@db/safebelt",
    "-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----",
    "PRIVATE+KEY+log+abc+def",
    "password=hunter2",
]
TELLTALES = ["abcdef", "hunter2", "MIIabc", "c2lnbmF0dXJl", "log+abc"]


@pytest.fixture
def out():
    before = logging.getLogger().handlers[:], logging.getLogger().level, structlog.get_config()
    stream = io.StringIO()
    yield stream
    logging.getLogger().handlers[:], _ = before[0], logging.getLogger().setLevel(before[1])
    structlog.configure(**before[2])
    logging.captureWarnings(False)


def test_a_json_line_holds_event_level_time_and_fields(out) -> None:
    configure(is_json=True, to=out)

    structlog.get_logger().info("belt.opened", port=8801, 名="安全带")

    line = json.loads(out.getvalue())
    assert (line["event"], line["level"], line["port"], line["名"]) == ("belt.opened", "info", 8801, "安全带")
    assert line["timestamp"].endswith("Z")


def test_a_console_line_is_for_people(out) -> None:
    configure(is_json=False, to=out)

    structlog.get_logger().warning("belt.opened", port=8801)

    assert "belt.opened" in out.getvalue()
    assert not out.getvalue().startswith("{")


def test_lines_below_the_level_are_left_out(out) -> None:
    configure(is_json=True, level="WARNING", to=out)

    structlog.get_logger().info("quiet")
    logging.getLogger("library").info("quiet")

    assert out.getvalue() == ""


@pytest.mark.parametrize("is_json", [True, False])
@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_gets_out_in_a_message_a_field_a_trace_or_a_librarys_line(out, secret, is_json) -> None:
    configure(is_json=is_json, to=out)

    structlog.get_logger().info(f"saw {secret}", nested={"deep": [secret]}, odd=ValueError(secret))
    logging.getLogger("library").warning("saw %s", secret)
    try:
        raise ValueError(secret)
    except ValueError:
        structlog.get_logger().exception("failed")

    assert REDACTED in out.getvalue()
    assert not [word for word in TELLTALES if word in out.getvalue()]


names = st.sampled_from(
    ["password", "admin_password", "API_KEY", "token", "Set-Cookie", "authorization", "key", "secret"]
)


@given(names, st.text(min_size=1) | st.binary(min_size=1) | st.lists(st.text(), min_size=1), st.integers(0, 3))
def test_a_field_with_a_secret_name_is_redacted_however_deep(name, value, depth) -> None:
    line = {name: value}
    for _ in range(depth):
        line = {"outer": line}
    got = redact(None, "info", line)
    for _ in range(depth):
        got = got["outer"]

    assert got[name] == REDACTED


@given(
    st.dictionaries(
        st.sampled_from(["system_id", "key_id", "count", "path"]), st.integers() | st.none() | st.booleans()
    )
)
def test_facts_that_are_no_secrets_stay(line) -> None:
    assert redact(None, "info", dict(line)) == line


def test_ids_of_keys_and_records_stay_readable() -> None:
    line = {"key_id": "key_01m7yzmhg0e008000000000001", "record": "rec_01m7yzmhg0e008000000000001"}

    assert redact(None, "info", dict(line)) == line


def test_raw_bytes_are_counted_not_written() -> None:
    assert redact(None, "info", {"body": b"anything"}) == {"body": "<8 bytes>"}
