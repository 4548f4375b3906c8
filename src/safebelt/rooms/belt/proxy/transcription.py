"""Sound that is written down (`/v1/audio/transcriptions`, `/v1/audio/translations`): a form in, a text out.

The sound is not listened to; the record says so, and keeps its size and digest.  The form's texts are input like any
other.  The transcript is screened as a whole, and in each of its pieces: what is found only over several pieces of it
cannot be masked there, so it does not leave.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from http import HTTPStatus
from itertools import pairwise
from typing import Any

from safebelt.kernel.text import Text
from safebelt.rooms.belt.decide import hits_of
from safebelt.rooms.belt.model import Action, Hit, Side, Verdict
from safebelt.rooms.belt.proxy import errors, forms, subtitles
from safebelt.rooms.belt.proxy.answers import answer_body
from safebelt.rooms.belt.proxy.client import Answer, UpstreamBroke
from safebelt.rooms.belt.proxy.exchange import Exchange
from safebelt.rooms.belt.proxy.items import ItemsAnswer
from safebelt.rooms.belt.proxy.leaves import Keys
from safebelt.rooms.belt.proxy.over import NOTHING, Over
from safebelt.rooms.belt.proxy.over import Text as Piece
from safebelt.rooms.belt.proxy.screens import Screened, WholeAnswer, plain_path, screen_request
from safebelt.rooms.belt.proxy.steps import as_said

_FILE = "file"
"""The one field that is a file: the sound."""
_PLAIN = frozenset({b"text/plain", b"text/vtt", b"text/srt", b"application/x-subrip"})
_SUBTITLES = ("srt", "vtt")
_PIECES = ("text", "transcript")
"""Fields by which lists hold a transcript piece by piece."""
_SPELLING = ("word", "token")
"""Fields by which lists spell out what is said elsewhere."""
_SPELLED = frozenset({"words", "logprobs", "tokens"})
"""Fields that hold such lists."""
_AWAY = "\n|\n"
"""Between pieces that are not read together."""
_VEIL = "[…]"
_NO = frozenset({"", "false", "0", "no"})


FORM_ONLY = errors.invalid(
    "form_only",
    Text(zh="该接口只接受表单。", en="This endpoint takes a form only."),
    Text(
        zh="请以 multipart/form-data 发送，音频放在 file 字段。",
        en="Send multipart/form-data, with the sound in the field `file`.",
    ),
    status=415,
)
NO_STREAM = errors.invalid(
    "no_stream",
    Text(zh="安全带不逐段转发转写文本。", en="The belt does not pass transcripts on piece by piece."),
    Text(zh="请去掉 stream 字段。", en="Leave out `stream`."),
)
UNPLACED = errors.invalid(
    "unplaced_finding",
    Text(
        zh="转写文本中有须遮盖的内容，且分散在几个片段中，无法逐段遮盖，因此未予放行。",
        en="The transcript holds what must be masked, divided over several segments where it cannot be; it did not "
        "pass.",
    ),
    Text(
        zh="请改用 response_format=json 或 text：整段文本可以遮盖。",
        en="Ask for response_format json or text: in one text it can be masked.",
    ),
)


class _Told(Exception):  # noqa: N818  not an error of ours: what the client is told
    """Nothing of this passes, and what the client is told instead."""

    def __init__(self, error: errors.BeltError) -> None:
        super().__init__(error.code)
        self.error = error


class Transcription(Exchange):
    """One transcription.

    Its label stands where every text's does (header, and field of a JSON answer): a model wrote it.  No notice is put
    into it: it is what a person said, and subtitles are read by programs.
    """

    _file: forms.File | None = None
    _plain = b""
    _subtitles: subtitles.Subtitles | None = None
    _screen: "_Transcript | None" = None

    async def _run(self) -> None:
        try:
            await super()._run()
        except _Told as told:
            await self._reply.error(told.error)

    def _screened_input(self) -> tuple[dict[str, Any], Screened, bytes]:
        content_type = self._request.header(b"content-type")
        if not forms.is_form(content_type):
            raise _Told(FORM_ONLY)
        texts, files = forms.read(content_type, self._request.body)
        if [one.name for one in files] != [_FILE]:
            raise forms.Malformed("not one file, in the field for it")
        if str(texts.get("stream", "")).strip().lower() not in _NO:
            raise _Told(NO_STREAM)
        self._file = files[0]
        body: dict[str, Any] = {**texts, _FILE: {"type": self._file.media_type}}  # its own name is not passed on
        screened = screen_request(self._scanner, self._caller.harness, body)
        if screened.body.get(_FILE) != body[_FILE]:  # a type with a number of somebody's in it
            files = [replace(self._file, media_type="application/octet-stream")]
        said = {name: screened.body[name] for name in texts if name in screened.body}  # a name that was masked is gone
        self._passed_type, passed = forms.written(said, files)
        return body, screened, passed

    def _intent_facts(self, verdict: Verdict) -> dict[str, Any]:
        facts = super()._intent_facts(verdict)
        if self._file is None:
            return facts
        return {**facts, "sound": {"bytes": len(self._file.data), "sha256": sha256(self._file.data).hexdigest()}}

    # ---- the answer

    async def _stream(self, answer: Answer) -> None:
        raise UpstreamBroke("a stream that nobody asked for")

    def _whole_screen(self, *, is_json: bool) -> WholeAnswer:
        self._screen = _Transcript(self._scanner, self._caller.harness, is_json=is_json)
        return self._screen

    def _opened(self, answer: Answer, raw: bytes) -> dict[str, Any]:
        kind = answer.header(b"content-type").partition(b";")[0].strip().lower()
        asked = self._body.get("response_format")
        if answer.status != HTTPStatus.OK or kind not in _PLAIN or asked not in ("text", *_SUBTITLES):
            return answer_body(answer, raw)
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UpstreamBroke("a transcript that is no UTF-8") from error
        self._plain = kind
        if asked not in _SUBTITLES:
            return {"text": text}
        self._subtitles = subtitles.read(text)
        return {"segments": [{"text": line} for line in self._subtitles.texts]}

    async def pass_whole(self, answer: Answer, raw: bytes) -> None:
        """Pass a transcript on, or say why it does not leave; raises as `run` catches."""
        try:
            await super().pass_whole(answer, raw)
        except _Told as told:
            self._is_generated = False  # nothing of it leaves, so there is nothing to label
            facts = self._outcome_facts(told.error.status, "refused", Action.REFUSE)
            self._recording.outcome(facts, await self._outcome_content(), as_said(self._said))
            await self._recording.durable()
            await self._reply.error(told.error, self._headers(Action.REFUSE))

    async def _finished(self, body: dict[str, Any]) -> dict[str, Any]:
        refusing = next((hit for hit in self._hits if hit.done is Action.REFUSE), None)
        if refusing is not None:
            rule = next(rule for rule in self._caller.policy.rules if rule.id == refusing.rule)
            raise _Told(_refused(rule.title, errors.refused(rule.title, self._caller.policy.appeal, self._complain_at)))
        if self._screen is not None and self._screen.is_unplaced:
            raise _Told(UNPLACED)
        return body

    def _content(self, body: dict[str, Any]) -> tuple[bytes, bytes]:
        if not self._plain or "error" in body:
            return super()._content(body)
        if self._subtitles is None:
            text = body["text"]
        else:
            text = self._subtitles.written([one["text"] for one in body["segments"]])
        return self._plain + b"; charset=utf-8", text.encode("utf-8")


class _Transcript(ItemsAnswer):
    """Screens a transcript, its pieces, and what stands over several of them.

    Attributes:
        is_unplaced: Something that must be masked stands in no segment alone.
    """

    is_unplaced = False

    def screen(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the transcript as it may leave; what spells it out by tokens or words only where nothing was masked.

        Raises:
            RecursionError: It is nested too deeply.
        """
        screened = super().screen(body)
        self._veiled = dict[str, set[int]]()
        in_text = Counter(hit.rule for hit in self._hits if hit.part == "text" and _acts(hit))
        for keys, field, pieces in _sequences(body):
            part = f"{plain_path(keys)}.{field}"
            found = self._over(part, pieces)
            over = list(found.values())
            self._veiled[part] = {at for _, first, last in found for at in range(first, last + 1)}
            if field not in _SPELLING:
                is_less = bool(in_text - self._placed(f"{plain_path(keys)}[")) if len(keys) == 1 else False
                self.is_unplaced |= is_less or any(map(_acts, over))
            self._hits += over
        self.said = _said(body, self._veiled)
        return _unspelled(screened) if any(map(_acts, self.hits)) else screened

    def _found_across(self, lists: Iterable[Sequence[Piece]]) -> Over:
        """Return nothing: of segments, words and tokens more is asked here."""
        return NOTHING

    def _placed(self, begin: str) -> Counter[str]:
        """Return how often each rule acted in pieces."""
        return Counter(hit.rule for hit in self._hits if hit.part.startswith(begin) and _acts(hit))

    def _over(self, part: str, pieces: Sequence[str]) -> dict[tuple[str, int, int], Hit]:
        """Return what is found over several pieces, by rule and the first and last of them."""
        found: dict[tuple[str, int, int], Hit] = {}
        spoken = [piece.strip(_BETWEEN_SENTENCES) for piece in pieces]
        ways = [(pieces, between, 1) for between in (_apart, _close, _by_twos, _by_other_twos)]
        for said, between, least in [*ways, (spoken, _close, _GROUP)] if spoken != pieces else ways:
            text, begins = _joined(said, between)
            policy, stance = self._scanner.policy, self._harness.stance
            for hit in hits_of(policy, stance, Side.OUTPUT, part, self._scanner.scan(text, Side.OUTPUT)):
                first, last = _piece_at(begins, hit.start), _piece_at(begins, hit.end - 1)
                if first != last and _least(begins, hit, first, last) >= least:
                    found.setdefault((hit.rule, first, last), hit)
        return found


_BETWEEN_SENTENCES = " \t,.;:!?，。、；：！？…-–—"
"""What writers of subtitles put where a line ends: a number that is spoken on holds none of it."""


_GROUP = 3
"""Digits that people say at once of a telephone number or an identity number; lists of smaller numbers are none."""


def _acts(hit: Hit) -> bool:
    return hit.done.weight >= Action.MASK.weight


def _sequences(node: Any, keys: Keys = ()) -> Iterator[tuple[Keys, str, list[str]]]:
    """Yield every list of pieces in an answer: the way to it, the field, the texts."""
    if isinstance(node, list):
        for field in (*_PIECES, *_SPELLING):
            texts = [item.get(field) for item in node if isinstance(item, dict)]
            if pieces := [text for text in texts if isinstance(text, str) and text]:
                yield keys, field, pieces
    inner = enumerate(node) if isinstance(node, list) else node.items() if isinstance(node, dict) else ()
    for key, value in inner:
        yield from _sequences(value, (*keys, key))


def _apart(_at: int, _before: str, _after: str) -> str:
    return " "


def _close(_at: int, before: str, after: str) -> str:
    """Words in Latin letters stay apart: run together they would be other words."""
    return " " if all(char.isascii() and char.isalpha() for char in (before[-1:], after[:1])) else ""


def _by_twos(at: int, before: str, after: str) -> str:
    """Join the first piece to the second, the third to the fourth: numbers around a divided one must not hide it."""
    return _AWAY if at % 2 else _close(at, before, after)


def _by_other_twos(at: int, before: str, after: str) -> str:
    """Join the second piece to the third, the fourth to the fifth."""
    return _by_twos(at + 1, before, after)


def _joined(pieces: Sequence[str], between: Callable[[int, str, str], str]) -> tuple[str, list[int]]:
    """Return pieces as one text, and where in it each begins."""
    gaps = [between(at, before, after) for at, (before, after) in enumerate(pairwise(pieces))]
    parts, begins, place = list[str](), list[int](), 0
    for piece, gap in zip(pieces, [*gaps, ""], strict=True) if pieces else ():
        begins.append(place)
        parts.append(piece + gap)
        place += len(piece) + len(gap)
    return "".join(parts), begins


def _piece_at(begins: Sequence[int], place: int) -> int:
    return bisect_right(begins, place) - 1


def _least(begins: Sequence[int], hit: Hit, first: int, last: int) -> int:
    """Return how many characters of a finding stand at least in each piece."""
    edges = [hit.start, *begins[first + 1 : last + 1], hit.end]
    return min(after - before for before, after in pairwise(edges))


def _said(body: Mapping[str, Any], veiled: Mapping[str, set[int]]) -> dict[str, tuple[str, bool]]:
    """Return what the record keeps of a transcript: each text whole, never in pieces, in which nothing would be found.

    What only says the text again is left out, and pieces over which something was found are veiled.
    """
    whole = body.get("text")
    said = {"text": whole if isinstance(whole, str) else ""}
    for keys, field, pieces in _sequences(body):
        part = f"{plain_path(keys)}.{field}"
        if field in _PIECES and _bare("".join(pieces)) != _bare(said["text"]):
            shown = [_VEIL if at in veiled.get(part, ()) else piece for at, piece in enumerate(pieces)]
            said[part] = _joined(shown, _close)[0]
    return {name: (text, False) for name, text in said.items() if text}


def _bare(text: str) -> str:
    return "".join(text.split())


def _unspelled(node: Any) -> Any:
    """Leave out what says a masked text again, word by word or by the numbers of its tokens."""
    match node:
        case dict():
            return {name: [] if name in _SPELLED else _unspelled(value) for name, value in node.items()}
        case list():
            return [_unspelled(item) for item in node]
    return node


def _refused(title: Text, as_input: errors.BeltError) -> errors.BeltError:
    what = Text(
        zh=f"转写文本因以下规则类别被拒绝：{title.zh}。",
        en=f"The transcript was refused by a rule of this class: {title.en}.",
    )
    return errors.invalid(as_input.code, what, as_input.hint)
