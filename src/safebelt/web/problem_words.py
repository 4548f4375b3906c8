"""Every kind of problem, in words: what it means and what to do; the pages under `/problems` are made of this."""

from dataclasses import dataclass
from typing import ClassVar, TypedDict

from safebelt.kernel.errors import (
    PROBLEMS,
    Conflict,
    Invalid,
    NotFound,
    Problem,
    Refused,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from safebelt.kernel.text import Text


class Said(TypedDict):
    """The two things every problem says."""

    what: Text
    hint: Text


class BadRequest(Problem):
    """The request cannot be read: malformed JSON, a wrong type, a missing parameter."""

    code: ClassVar[str] = "bad-request"


class MethodNotAllowed(Problem):
    """The address exists, but not with this method."""

    code, status = "method-not-allowed", 405


class NotAcceptable(Problem):
    """The answer does not exist in the form asked for."""

    code, status = "not-acceptable", 406


class TooLarge(Problem):
    """The request body is larger than this door accepts."""

    code, status = "too-large", 413


class UnsupportedMedia(Problem):
    """The body is of a media type this door does not read."""

    code, status = "unsupported-media-type", 415


class Internal(Problem):
    """Safebelt failed; nothing half-done was kept."""

    code, status, exit_code = "internal", 500, 3


_OWN: tuple[type[Problem], ...] = (BadRequest, MethodNotAllowed, NotAcceptable, TooLarge, UnsupportedMedia, Internal)

FRAMEWORK: dict[int, type[Problem]] = {form.status: form for form in (*_OWN, *PROBLEMS)}
"""Which problem an HTTP status of the framework's own becomes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of problem, as its page explains it.

    Attributes:
        form: The exception.
        title: Its name.
        what: What happened, where nobody can say more.
        hint: What to do next.
        retry: Whether asking again, unchanged, can help.
    """

    form: type[Problem]
    title: Text
    what: Text
    hint: Text
    retry: bool = False


_ALL = (
    Kind(
        form=BadRequest,
        title=Text(zh="无法读取请求", en="The request cannot be read"),
        what=Text(zh="请求的格式不正确，未作任何处理。", en="The request is malformed; nothing was done."),
        hint=Text(
            zh="请对照接口说明检查下列字段后重新发送。",
            en="Check the fields listed against the API reference and send it again.",
        ),
    ),
    Kind(
        form=Unauthenticated,
        title=Text(zh="请先登录", en="Sign in first"),
        what=Text(zh="此处需要知道您是谁。", en="This place needs to know who you are."),
        hint=Text(
            zh="请登录，或在请求中附上有效的接口令牌（Authorization: Bearer …）。",
            en="Sign in, or send a valid API token (Authorization: Bearer …).",
        ),
    ),
    Kind(
        form=Refused,
        title=Text(zh="没有权限", en="Not permitted"),
        what=Text(zh="您的身份不允许执行这一步。", en="Who you are does not allow this step."),
        hint=Text(
            zh="如确有需要，请向管理员申请相应角色；如页面停留过久，请刷新后重试。",
            en="Ask an administrator for the role if you need it; if the page was open for long, reload it first.",
        ),
    ),
    Kind(
        form=NotFound,
        title=Text(zh="没有找到", en="Not found"),
        what=Text(zh="您要找的内容不存在。", en="What you are looking for does not exist."),
        hint=Text(zh="请检查地址，或从首页重新进入。", en="Check the address, or start again from the home page."),
    ),
    Kind(
        form=MethodNotAllowed,
        title=Text(zh="不支持这种操作方式", en="Method not allowed"),
        what=Text(zh="该地址存在，但不接受这种请求方法。", en="The address exists but does not take this method."),
        hint=Text(
            zh="请改用 Allow 响应头中列出的方法。", en="Use one of the methods listed in the Allow response header."
        ),
    ),
    Kind(
        form=NotAcceptable,
        title=Text(zh="没有这种格式的答复", en="Not available in that form"),
        what=Text(zh="答复不提供您要求的格式。", en="The answer does not exist in the form asked for."),
        hint=Text(zh="请在 Accept 中接受 application/json 或 text/html。", en="Accept application/json or text/html."),
    ),
    Kind(
        form=Conflict,
        title=Text(zh="情况已经变化", en="Things have changed"),
        what=Text(
            zh="该内容已被他人修改，或当前状态下不能执行这一步。",
            en="It was changed meanwhile, or this step is not possible from here.",
        ),
        hint=Text(zh="请重新载入，核对后再试。", en="Load it again, look at what changed, and repeat the step."),
    ),
    Kind(
        form=TooLarge,
        title=Text(zh="内容过大", en="Too large"),
        what=Text(
            zh="请求内容超过了此处的上限，未作任何处理。",
            en="The request is larger than this door accepts; nothing was done.",
        ),
        hint=Text(zh="请减小内容或分多次发送。", en="Make it smaller or send it in parts."),
    ),
    Kind(
        form=UnsupportedMedia,
        title=Text(zh="不支持的内容类型", en="Unsupported media type"),
        what=Text(zh="此处不能读取这种类型的内容。", en="This door cannot read content of that type."),
        hint=Text(
            zh="请以 application/json 发送，并相应设置 Content-Type。",
            en="Send application/json and say so in Content-Type.",
        ),
    ),
    Kind(
        form=Invalid,
        title=Text(zh="填写有误", en="Something entered is not valid"),
        what=Text(zh="内容不符合填写规则，未作任何保存。", en="The input breaks a rule of form; nothing was saved."),
        hint=Text(zh="请按提示更正后重新提交。", en="Correct what is named and send it again."),
    ),
    Kind(
        form=TooMany,
        title=Text(zh="尝试过于频繁", en="Too many tries"),
        what=Text(zh="短时间内的请求过多。", en="There were too many requests in too short a time."),
        hint=Text(
            zh="请稍候再试；Retry-After 响应头会说明需要等待的秒数。",
            en="Wait and try again; the Retry-After response header says how many seconds.",
        ),
        retry=True,
    ),
    Kind(
        form=Internal,
        title=Text(zh="系统出错", en="Something went wrong here"),
        what=Text(
            zh="系统内部发生意外错误，本次操作没有留下半途的结果。",
            en="Safebelt met an unexpected error; nothing half-done was kept.",
        ),
        hint=Text(
            zh="请稍后重试；若再次出现，请把事件编号告知管理员。",
            en="Try again later; if it happens again, give the incident number to your administrator.",
        ),
        retry=True,
    ),
    Kind(
        form=Unavailable,
        title=Text(zh="暂时无法使用", en="Not available now"),
        what=Text(zh="所需的某个部件当前没有响应。", en="Something that is needed does not answer now."),
        hint=Text(zh="请稍后重试。", en="Try again in a while."),
        retry=True,
    ),
)

KINDS: dict[str, Kind] = {kind.form.code: kind for kind in _ALL}
"""Every kind of problem by its code; a test holds that none is missing."""

_NO_SUCH_PAGE: Said = {
    "what": Text(zh="没有这个页面。", en="There is no such page."),
    "hint": Text(
        zh="页面地址以 /zh/ 或 /en/ 开头；请检查地址，或从首页重新进入。",
        en="Addresses of pages begin with /zh/ or /en/; check the address, or start again from the home page.",
    ),
}


def said(code: str) -> Said:
    """Return `what` and `hint` for a kind where nobody can say more (`no-such-page` for a wrong address)."""
    if code == "no-such-page":
        return _NO_SUCH_PAGE
    return {"what": KINDS[code].what, "hint": KINDS[code].hint}
