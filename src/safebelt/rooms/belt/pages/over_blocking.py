"""`/{lang}/belt/over-blocking`: how often each rule hits what should pass, and on which texts that was tried."""

import csv
import io
from typing import Annotated, Any

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.errors import NotFound
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.belt.model import Policy
from safebelt.rooms.belt.model.over_blocking import OverBlocking, OverBlockingNow
from safebelt.rooms.belt.pages import rates, words
from safebelt.rooms.belt.pages.words import AnyRequest
from safebelt.rooms.belt.service import Belt
from safebelt.web.security import requires
from safebelt.web.templating import page as render

PathLang = Annotated[Lang, PathParameter()]
Named = Annotated[str, QueryParameter(max_length=80)]
Version = Annotated[str, QueryParameter(max_length=64)]
FormData = URLEncodedBody[dict[str, str]]
SHOWN = "shown"


class OverBlockingPages(Controller):
    """What is blocked wrongly."""

    path = "/{lang:str}/belt/over-blocking"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("belt.read")])
    def over_blocking(  # noqa: PLR0917  Litestar injects by name
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        lang: PathLang,
        policy: Named = "",
        version: Version = "",
        examples: Version = "",
    ) -> Template:
        """Show every policy's figures, or those of one version, list by list."""
        if not policy:
            return _all(belt, lang)
        return _one(request, belt, lang, _version(belt, policy, version), examples)

    @post("/measure", sync_to_thread=True, guards=[requires("belt.read")])
    def measure(self, belt: NamedDependency[Belt], lang: PathLang, data: FormData) -> Redirect:
        """Have a version measured; the page says how far it is."""
        now = belt.order_over_blocking(data.get("policy", "")[:80], data.get("version", "")[:64])
        return Redirect(address(lang, now), status_code=303)

    @get("/export.csv", sync_to_thread=True, guards=[requires("belt.read")])
    def export_csv(
        self, belt: NamedDependency[Belt], lang: PathLang, policy: Named = "", version: Version = ""
    ) -> Response[bytes]:
        """Hand the figures out as CSV, one row a rule."""
        return _file("over-blocking.csv", "text/csv; charset=utf-8", as_csv(_found(belt, policy, version)))

    @get("/export.json", sync_to_thread=True, guards=[requires("belt.read")])
    def export_json(
        self, belt: NamedDependency[Belt], lang: PathLang, policy: Named = "", version: Version = ""
    ) -> Response[bytes]:
        """Hand the figures out as JSON, with every corpus."""
        return _file("over-blocking.json", "application/json", msgspec.json.encode(_found(belt, policy, version)))


def address(lang: Lang, now: OverBlockingNow) -> str:
    """Return where the figures of a version are."""
    return f"/{lang}/belt/over-blocking?policy={now.policy}&version={now.digest}"


def _version(belt: Belt, policy_id: str, version: str) -> Policy:
    """Return a version by its digest; one of the house's folder need not have been adopted yet."""
    now = belt.policy(policy_id)
    return now if version in {"", now.digest} else belt.policy_version(policy_id, version)


def _all(belt: Belt, lang: Lang) -> Template:
    standing = belt.over_blockings()
    found = [one.found.stopped for one in standing.values() if one.found]
    return render(
        "belt/over_blockings.html",
        lang=lang,
        title=words.OVER_BLOCKING,
        standing=[(policy, standing[policy.id]) for policy in belt.policies()],
        used=[harness.policy for harness in belt.harnesses()],
        corpora=belt.corpora(),
        top=(top := rates.top_of(found)),
        bar=lambda share: rates.bar(share, top, "refuse", lang),
        rates=rates,
        words=words,
    )


def _one(request: AnyRequest, belt: Belt, lang: Lang, policy: Policy, examples: str) -> Template:
    standing = belt.over_blocking(policy)
    found = standing.found
    may_read = words.may(request, "belt.read_content")
    is_shown = examples == SHOWN and may_read
    top = rates.top_of(rule.share for rule in found.rules) if found else 1.0
    return render(
        "belt/over_blocking.html",
        lang=lang,
        title=words.OVER_BLOCKING,
        policy=policy,
        standing=standing,
        found=found,
        is_in_force=policy.digest == belt.policy(policy.id).digest,
        texts=belt.example_texts(found, is_shown=is_shown) if found else {},
        is_shown=is_shown,
        may_read=may_read,
        figures=belt.classifier_figures(),
        corpora=belt.corpora(),
        top=top,
        bar=lambda rule: rates.bar(rule.share, top, rule.action.value, lang),
        here=address(lang, standing),
        rates=rates,
        words=words,
    )


def _found(belt: Belt, policy_id: str, version: str) -> OverBlocking:
    found = belt.over_blocking(_version(belt, policy_id, version)).found
    if found is None:
        raise NotFound(
            what=Text(zh="这一版规则尚未测量。", en="This version has not been measured."),
            hint=Text(zh="请先在“误拦率”页面测量。", en="Have it measured first, under Over-blocking."),
        )
    return found


_COLUMNS = (
    *("policy", "version", "digest", "measured_at", "rule", "action", "red_line", "list", "terms"),
    *("state", "hits", "texts", "rate", "low_95", "high_95"),
)


def as_csv(found: OverBlocking) -> bytes:
    """Write the figures as CSV (RFC 4180, UTF-8 with a mark so that spreadsheets read Chinese)."""
    out = io.StringIO()
    writer = csv.writer(out)
    names = [corpus.name for corpus in found.corpora]
    writer.writerow((*_COLUMNS, *(f"hits:{_cell(name)}" for name in names)))
    for rule in found.rules:
        share = rule.share
        figures: list[Any] = ["not_evaluated", "", "", "", "", "", *("" for _ in names)]
        if share is not None:
            per_corpus = [rule.corpora.get(name, 0) for name in names]
            figures = ["measured", share.hits, share.of, share.rate, share.low, share.high, *per_corpus]
        of = (found.policy, found.version, found.digest, found.at.isoformat(), rule.rule, rule.action.value)
        writer.writerow([*of, "yes" if rule.is_red_line else "no", _cell(rule.file), rule.terms, *figures])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace")


def _cell(text: str) -> str:
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _file(name: str, media_type: str, body: bytes) -> Response[bytes]:
    return Response(body, media_type=media_type, headers={"content-disposition": f'attachment; filename="{name}"'})
