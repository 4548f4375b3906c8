"""The public register for people: find a system, read everything about it, see it all in numbers."""

from typing import Annotated, Any

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from litestar.response import Response, Template

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.portal import decide
from safebelt.rooms.portal.exports import linked, tables
from safebelt.rooms.portal.exports.answers import OPEN_HEADERS, AnyRequest, base_of
from safebelt.rooms.portal.model import Count, CountTable, Statistics
from safebelt.rooms.portal.pages import charts, words
from safebelt.rooms.portal.service import Portal
from safebelt.rooms.registry.model.public import Gone, Wanted
from safebelt.rooms.registry.model.register import STATUSES, Status
from safebelt.web.security import requires
from safebelt.web.templating import page as render

PathLang = Annotated[Lang, PathParameter()]
Choice = Annotated[str, QueryParameter(max_length=160)]
_MARKS = ("place", "class", "sector")


class RegisterPages(Controller):
    """`/{lang}/register`."""

    path = "/{lang:str}/register"
    include_in_schema = False
    guards = (requires("portal.read"),)
    opt = {"sets_no_cookie": True}  # noqa: RUF012  the form the framework asks for

    @get(sync_to_thread=True)
    def find(
        self,
        *,
        request: AnyRequest,
        portal: NamedDependency[Portal],
        lang: PathLang,
        q: Annotated[str, QueryParameter(max_length=200)] = "",
        stage: Choice = "",
        place: Choice = "",
        sector: Choice = "",
        grade: Choice = "",
        page: Annotated[int, QueryParameter(ge=1, le=100_000)] = 1,
    ) -> Template:
        """Find public systems."""
        chosen = {"place": place, "sector": sector, "class": grade}
        wanted = Wanted(
            search=q,
            stage=Status(stage) if stage in set(Status) else None,
            marks=tuple((kind, value) for kind, value in chosen.items() if value),
        )
        found = portal.find(wanted, page=page)
        names = portal.names()
        options = {
            kind: [(key.partition("=")[2], name.in_(lang)) for key, name in names.items() if key.startswith(f"{kind}=")]
            for kind in _MARKS
        }
        counted = portal.statistics()
        return render(
            "portal/register.html",
            lang=lang,
            title=words.REGISTER,
            about=words.ABOUT.in_(lang),
            base=base_of(request),
            found=found,
            q=q,
            chosen={"stage": stage, **chosen},
            is_narrowed=bool(q.strip() or wanted.stage or wanted.marks),
            stages=[(each.value, STATUSES[each].in_(lang)) for each in Status],
            options=options,
            total=counted.total,
            words=words,
            linked=linked.dataset(
                base=base_of(request),
                lang=lang,
                name=words.REGISTER.in_(lang),
                description=words.ABOUT.in_(lang),
                modified=counted.at.date().isoformat(),
            ),
        )

    @get("/statistics", sync_to_thread=True)
    def statistics(self, request: AnyRequest, portal: NamedDependency[Portal], lang: PathLang) -> Template:
        """Show the public register in numbers."""
        counted = portal.statistics()
        return render(
            "portal/statistics.html",
            lang=lang,
            title=words.STATISTICS,
            about=words.ABOUT_STATISTICS.in_(lang),
            base=base_of(request),
            counted=counted,
            charts={table.id: charts.bars(table, lang) for table in counted.tables},
        )

    @get("/statistics.csv", sync_to_thread=True)
    def statistics_table(self, portal: NamedDependency[Portal], lang: PathLang) -> Response[bytes]:
        """Return the numbers as a table; it has both languages, whichever is in the address."""
        counted = portal.statistics()
        headers = {**OPEN_HEADERS, "content-disposition": f'attachment; filename="statistics-{counted.at.date()}.csv"'}
        body = b"".join(tables.written(decide.csv_rows((*_totals(counted), *counted.tables))))
        return Response(body, media_type="text/csv; charset=utf-8", headers=headers)

    @get("/{system_id:str}", sync_to_thread=True)
    def system(
        self,
        request: AnyRequest,
        portal: NamedDependency[Portal],
        lang: PathLang,
        system_id: Annotated[str, PathParameter()],
    ) -> Template:
        """Show everything the public may know of one system; one that was taken out says so."""
        found = portal.system(system_id)
        base = base_of(request)
        if isinstance(found, Gone):
            return render("portal/gone.html", lang=lang, title=words.GONE, status=410, found=found, base=base)
        url = f"{base}/{lang}/register/{found.line.id}"
        label = Text(zh=f"本页网址的二维码：{url}", en=f"QR code with this page's address: {url}").in_(lang)
        record: Any = found.record
        return render(
            "portal/system.html",
            lang=lang,
            title=found.line.name,
            base=base,
            url=url,
            found=found,
            record=record,
            stage=found.line.stage,
            provisional=found.line.provisional,
            plain=words.PLAIN,
            about=found.line.purpose.in_(lang)[:160],
            rights=[(one, portal.label_of(one.instrument).in_(lang)) for one in portal.rights(found)],
            decisions=portal.decisions(found.line.id),
            certificates=portal.certificates(found),
            words=words,
            linked=linked.software(found, url=url, lang=lang),
            qr=linked.qr(url, label),
            api=f"/api/public/systems/{found.line.id}",
        )


def _totals(counted: Statistics) -> tuple[CountTable, ...]:
    """The general numbers as a table of their own, with the day, so that the file stands by itself."""
    lines = (
        ("total", Text(zh="公开的系统", en="public systems"), counted.total),
        ("not_evaluated", Text(zh="其中未评估", en="of them not evaluated"), counted.not_evaluated),
        ("imported", Text(zh="其中转录自其他登记册", en="of them taken over from another register"), counted.imported),
        ("provisional", Text(zh="其中暂行在用", en="of them provisionally in service"), counted.provisional),
        ("counted_on", Text(zh="统计日（年月日）", en="counted on (YYYYMMDD)"), int(f"{counted.at:%Y%m%d}")),
    )
    counts = tuple(Count(key=key, label=label, number=number) for key, label, number in lines)
    return (CountTable(id="register", title=words.REGISTER, lines=counts),)
