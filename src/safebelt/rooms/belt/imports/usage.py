"""Reading an upstream's own figures: an access log, or a usage export as JSON or CSV.

* Access log: Apache's *common* or *combined* form, as nginx writes it too; requests (POST) to `/v1/…` count.
  <https://httpd.apache.org/docs/2.4/logs.html#common>
* Usage: buckets with `start_time`, `end_time` (seconds since 1970) and `num_model_requests`, nested in `results` or
  flat, as OpenAI's usage API and its export have them.  <https://platform.openai.com/docs/api-reference/usage>

Time and memory are bounded by the size of the file; whatever the bytes, the only failure is `Invalid`.
"""

import csv
import io
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.belt.model.reconciling import Bucket, Call, Form, UpstreamFile

MAX_BYTES = 256 * 1024 * 1024
MAX_SENT_BYTES = 64 * 1024 * 1024
"""Of a file that is sent to a page or the API: some 300,000 lines, which are read within seconds."""
MAX_REQUESTS = 10**12
_MAX_LINE = 16_384
_SHOWN = 20
_LINE = re.compile(
    r'\S{1,256} \S{1,256} [^"\[]{1,256}\[(\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2} [+-]\d{4})\] '
    r'"([A-Z]{1,20}) (\S{1,4096})(?: HTTP/[\d.]{1,5})?" (\d{3}) '
)
_RECORD = re.compile(r"\brec_[0-9a-z]{26}\b")


def read_upstream(content: bytes) -> UpstreamFile:
    """Read an upstream's file, whichever of the three forms it has.

    Raises:
        Invalid: It is none of them, or too large.
    """
    if len(content) > MAX_BYTES:
        raise _no_file(f"more than {MAX_BYTES} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _no_file(f"not UTF-8 text (byte {error.start})") from error
    head = text.lstrip()[:1]
    if head in {"{", "["}:
        return _usage(_json_rows(text))
    if "start_time" in text[:_MAX_LINE].partition("\n")[0]:
        return _usage(_csv_rows(text))
    return _access_log(text)


def hold_sent(content: bytes) -> bytes:
    """Return a file that was sent, if it is one and whole.

    Raises:
        Invalid: It is empty, or larger than is taken so.
    """
    if content and len(content) <= MAX_SENT_BYTES:
        return content
    raise Invalid(
        what=Text(zh="没有文件，或文件过大。", en="There is no file, or it is too large."),
        hint=Text(
            zh=f"至多 {MAX_SENT_BYTES >> 20} MiB；更大的请用 safebelt belt reconcile。",
            en=f"At most {MAX_SENT_BYTES >> 20} MiB; `safebelt belt reconcile` takes larger ones.",
        ),
        details={"field": "file"},
    )


def lines_of(content: bytes, numbers: Collection[int]) -> dict[int, str]:
    """Return some lines of a file by their number, from 1, for whoever looks at what was found there."""
    wanted, found = set(numbers), dict[int, str]()
    for number, line in enumerate(io.BytesIO(content), start=1):
        if not wanted:
            break
        if number in wanted:
            wanted.discard(number)
            found[number] = line[:_MAX_LINE].decode("utf-8", "replace").rstrip()
    return found


def _access_log(text: str) -> UpstreamFile:
    calls, unreadable, seen = list[Call](), list[int](), 0
    for number, line in enumerate(io.StringIO(text), start=1):
        if not line.strip():
            continue
        seen += 1
        found = _LINE.match(line) if len(line) <= _MAX_LINE else None
        at = _log_time(found[1]) if found else None
        if found is None or at is None:
            unreadable.append(number)
        elif found[2] == "POST" and "/v1/" in found[3]:
            named = _RECORD.search(line)
            calls.append(Call(line=number, at=at, record_id=named[0] if named else ""))
    if seen and len(unreadable) == seen:
        raise _no_file("neither an access log in the common or combined form nor usage figures")
    shown = tuple(unreadable[:_SHOWN])
    return UpstreamFile(form=Form.ACCESS_LOG, calls=tuple(calls), unreadable=shown, unreadable_count=len(unreadable))


def _log_time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _usage(rows: Iterable[tuple[int, Any]]) -> UpstreamFile:
    buckets, unreadable = list[Bucket](), list[int]()
    for number, row in rows:
        bucket = _bucket(number, row) if isinstance(row, Mapping) else None
        if bucket is None:
            unreadable.append(number)
        else:
            buckets.append(bucket)
    if not buckets:
        raise _no_file("no bucket with start_time, end_time and num_model_requests")
    shown = tuple(unreadable[:_SHOWN])
    return UpstreamFile(
        form=Form.USAGE, buckets=tuple(_merged(buckets)), unreadable=shown, unreadable_count=len(unreadable)
    )


def _merged(buckets: Iterable[Bucket]) -> Iterator[Bucket]:
    """Join rows of one span (a row a model or key is usual), so that they are compared together."""
    by_span: dict[tuple[datetime, datetime], Bucket] = {}
    for each in buckets:
        known = by_span.get((each.since, each.until))
        count = each.requests + (known.requests if known else 0)
        line = known.line if known else each.line
        by_span[each.since, each.until] = Bucket(line=line, since=each.since, until=each.until, requests=count)
    yield from by_span.values()


def _bucket(number: int, row: Mapping[Any, Any]) -> Bucket | None:
    since, until = _epoch(row.get("start_time")), _epoch(row.get("end_time"))
    results = row.get("results")
    parts = results if isinstance(results, list) else [row]
    counts = [_count(part.get("num_model_requests")) if isinstance(part, Mapping) else None for part in parts]
    if since is None or until is None or since >= until or None in counts:
        return None
    return Bucket(line=number, since=since, until=until, requests=sum(count or 0 for count in counts))


def _epoch(value: Any) -> datetime | None:
    count = _count(value)
    try:
        return None if count is None else datetime.fromtimestamp(count, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _count(value: Any) -> int | None:
    """Return a whole number that is not negative, from JSON or CSV; None where it is none."""
    if isinstance(value, str):
        value = int(value) if value.isascii() and value.isdigit() and len(value) <= 15 else None
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_REQUESTS
    return value if is_count else None


def _json_rows(text: str) -> Iterator[tuple[int, Any]]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _no_file(f"not readable as JSON: {str(error)[:200]}") from error
    pages = data if isinstance(data, list) else [data]
    number = 0
    for page in pages:
        inner = page.get("data") if isinstance(page, dict) else None
        for row in inner if isinstance(inner, list) else [page]:
            number += 1
            yield number, row


def _csv_rows(text: str) -> Iterator[tuple[int, Any]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise _no_file(f"not readable as CSV: {error}") from error


def _no_file(why: str) -> Invalid:
    return Invalid(
        what=Text(zh=f"这不是可以核对的上游文件：{why}。", en=f"This is no file of an upstream: {why}."),
        hint=Text(
            zh="请给出 common 或 combined 格式的访问日志，或 OpenAI 用量导出（JSON、CSV）。",
            en="Give an access log in the common or combined form, or a usage export of OpenAI (JSON, CSV).",
        ),
    )
