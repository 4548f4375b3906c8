"""Turn durable lines into rows for search and console; the rows can be thrown away and rebuilt from zero."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from safebelt.kernel.errors import Problem
from safebelt.rooms.belt.decide.quotas import estimated, spent, texts_of
from safebelt.rooms.belt.model import UNGUARDED, Action, Exchange, Record
from safebelt.rooms.belt.records.disk import FIRST
from safebelt.rooms.belt.records.draft import Place
from safebelt.rooms.belt.records.following import MOST_RECENT, START, lines_after
from safebelt.rooms.belt.records.line import Line
from safebelt.rooms.belt.records.reader import Reader

BATCH_ROWS = 500
"""Rows handed over at once: one SQL transaction of some ten milliseconds, short beside a console's refresh."""

Take = Callable[[Sequence[Exchange], Place], None]
"""Stores rows (insert or replace by id) and the cursor in one transaction, so that a crash repeats or skips none."""


def fold(intent: Record | None, outcome: Record | None, place: Place) -> Exchange:
    """Return the row of an exchange from what is known of it.

    Facts have the names of `Exchange`'s fields: `system_id`, `key_id`, `endpoint`, `model`, `is_stream` in the intent,
    `status`, `finish`, `total_ms`, `added_ms` in the outcome, `done`, `would`, `rules` in both (the stricter and all
    of them count), `unguarded` where nothing was screened.  A fact that is absent or of the wrong kind is empty: a
    changed record must not stop the index.
    """
    first: Mapping[str, Any] = (intent or outcome or _NOTHING).core
    last: Mapping[str, Any] = outcome.core if outcome else {}
    known = intent or outcome or _NOTHING
    rules = [*_texts(first.get("rules")), *_texts(last.get("rules"))]
    used = spent(lambda: _guessed(intent), last, lambda: _guessed(outcome))
    return Exchange(
        id=known.id,
        at=_moment(first.get("at")),
        system_id=_text(first.get("system_id")),
        key_id=_text(first.get("key_id")),
        endpoint=_text(first.get("endpoint")),
        model=_text(first.get("model")),
        is_stream=first.get("is_stream") is True,
        done=_strictest(first.get("done"), last.get("done")),
        would=_strictest(first.get("would"), last.get("would")),
        rules=tuple(dict.fromkeys(rules)),
        status=int(_number(last.get("status"))),
        finish=_text(last.get("finish")),
        total_ms=_number(last.get("total_ms")),
        added_ms=_number(last.get("added_ms")),
        segment=place[0],
        offset=place[1],
        tokens=used.tokens if outcome else 0,
        is_estimated=used.is_estimated if outcome else False,
        ended_at=_moment(last.get("at")) if outcome else None,
        is_unguarded=UNGUARDED in first or UNGUARDED in last,
    )


_NOTHING = Record(type="intent", id="", core={})


class Indexer:
    """Follows one log of the records from a cursor.

    Attributes:
        cursor: Segment and offset behind the last line that was handed over.
    """

    def __init__(
        self,
        folder: Path,
        take: Take,
        *,
        until: Callable[[], Place | None] = lambda: None,
        cursor: Place = START,
        log: str = FIRST,
    ) -> None:
        """Prepare.

        Args:
            folder: Of the records.
            take: Stores a batch with its cursor; may raise, then the same batch comes again.
            until: Segment and offset behind the last durable line (`Writer.durable`); None for all there is, where
                nobody writes.
            cursor: Where to go on; `START` rebuilds everything.
            log: Which log of the folder to follow.
        """
        self._log = log
        self._reader, self._folder, self._take, self._until = Reader(folder), folder, take, until
        self._recent: dict[str, Record] = {}
        self.cursor = cursor

    def step(self) -> int:
        """Hand over everything new, in batches; return how many rows."""
        rows, count, end = dict[str, Exchange](), 0, self.cursor
        for place, end, line in lines_after(self._folder, self._log, self.cursor, self._until()):
            row = None if line is None else self._row(line, place)
            if row is not None:
                rows.pop(row.id, None)
                rows[row.id] = row
            if len(rows) >= BATCH_ROWS:
                count += self._hand_over(rows, end)
                rows = {}
        if end != self.cursor:
            count += self._hand_over(rows, end)
        return count

    def _hand_over(self, rows: Mapping[str, Exchange], end: Place) -> int:
        self._take(list(rows.values()), end)
        self.cursor = end
        return len(rows)

    def _row(self, line: Line, place: Place) -> Exchange | None:
        """Return what a line makes of its exchange; None where it is about none, or its facts cannot be read."""
        if line.core.type == "note":
            return None
        try:
            record = line.record()
            if line.core.type == "outcome":
                return fold(self._intent_of(line), record, place)
        except (Problem, ValueError):
            return None
        if len(self._recent) >= MOST_RECENT:
            self._recent.clear()
        self._recent[record.id] = record
        return fold(record, None, place)

    def _intent_of(self, outcome: Line) -> Record | None:
        if (known := self._recent.pop(outcome.core.id, None)) is not None:
            return known
        return self._reader.intent_of(outcome)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and abs(value) < 2**53 else 0.0


def _guessed(record: Record | None) -> int:
    return estimated(texts_of(record.content if record else None))


def _moment(value: object) -> datetime:
    try:
        return datetime.fromisoformat(_text(value)).astimezone(UTC)
    except (ValueError, OverflowError):
        return datetime.fromtimestamp(0, UTC)


def _strictest(*values: object) -> Action:
    known = {action.value: action for action in Action}
    return max((known[v] for v in values if isinstance(v, str) and v in known), key=_weight, default=Action.ALLOW)


def _weight(action: Action) -> int:
    return action.weight
