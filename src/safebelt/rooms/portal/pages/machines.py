"""What feed readers and search engines ask for: the feed, the rules for robots, the map of the site."""

from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter
from litestar.response import Response

from safebelt.kernel.text import LANGS, Lang
from safebelt.rooms.portal.exports import feeds
from safebelt.rooms.portal.exports.answers import AnyRequest, answer, base_of
from safebelt.rooms.portal.service import Portal
from safebelt.web.security import requires

_XML = "application/xml; charset=utf-8"
_GUARDS = [requires("portal.read")]
_NO_COOKIE = {"sets_no_cookie": True}
_FOR_AN_HOUR = {"cache-control": "public, max-age=3600"}


class FeedPage(Controller):
    """`/{lang}/register/feed.atom`."""

    path = "/{lang:str}/register/feed.atom"
    include_in_schema = False

    @get(sync_to_thread=True, guards=_GUARDS, opt=_NO_COOKIE)
    def feed(
        self, request: AnyRequest, portal: NamedDependency[Portal], lang: Annotated[Lang, PathParameter()]
    ) -> Response[bytes]:
        """Return what was published last, as an Atom feed."""
        lines = portal.newest()
        body = feeds.atom(lines, base=base_of(request), lang=lang)
        changed = max((feeds.updated(line) for line in lines), default=None)
        return answer(request, body, "application/atom+xml; charset=utf-8", changed=changed)


class Robots(Controller):
    """`/robots.txt`."""

    path = "/robots.txt"
    include_in_schema = False

    @get(guards=_GUARDS, opt=_NO_COOKIE, sync_to_thread=False)
    def robots(self, request: AnyRequest) -> Response[bytes]:
        """Tell robots (RFC 9309) what is there for everybody; the rest wants a person who signs in."""
        lines = ["User-agent: *", "Disallow: /", "Allow: /static/", "Allow: /api/public/", "Allow: /sitemap.xml"]
        lines += [f"Allow: /{lang}/{page}" for lang in LANGS for page in ("register", "verify", "complaints$")]
        text = "\n".join((*lines, f"Sitemap: {base_of(request)}/sitemap.xml", ""))
        return Response(text.encode(), media_type="text/plain; charset=utf-8", headers=_FOR_AN_HOUR)


class SiteMap(Controller):
    """`/sitemap.xml`."""

    path = "/sitemap.xml"
    include_in_schema = False

    @get(sync_to_thread=True, guards=_GUARDS, opt=_NO_COOKIE)
    def sitemap(
        self,
        request: AnyRequest,
        portal: NamedDependency[Portal],
        after: Annotated[str, QueryParameter(max_length=40)] = "",
    ) -> Response[bytes]:
        """Return the index of the site map, or with `after` one part of it."""
        base = base_of(request)
        if not after:
            return Response(feeds.sitemap_index(portal.map_parts(), base=base), media_type=_XML, headers=_FOR_AN_HOUR)
        is_first = after == "start"
        lines = portal.map_part("" if is_first else after)
        return Response(feeds.sitemap(lines, base=base, has_general=is_first), media_type=_XML, headers=_FOR_AN_HOUR)


PAGES: tuple[type, ...] = (FeedPage, Robots, SiteMap)
