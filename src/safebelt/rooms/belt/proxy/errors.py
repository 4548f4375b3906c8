"""Answers in the upstream's own error shape: `{"error": {"message", "type", "param", "code", "hint"}}`.

An unmodified OpenAI client reads `message` and `code`; a person reads what happened and what to do next, in
both languages.
"""

from dataclasses import dataclass
from math import ceil

import msgspec

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.belt.control.lease import PREFIX
from safebelt.rooms.belt.decide.admission import Barred, NotAdmitted
from safebelt.rooms.belt.proxy.wire import Headers, head


@dataclass(frozen=True, slots=True, kw_only=True)
class BeltError:
    """One way to say no.

    Attributes:
        status: HTTP status.
        code: Stable code for programs.
        kind: The client libraries' `type`.
        what: What happened.
        hint: What to do next.
        retry_after_seconds: Sent as `Retry-After` where waiting helps.
    """

    status: int
    code: str
    kind: str
    what: Text
    hint: Text
    retry_after_seconds: int = 0

    def body(self, lang: Lang = "en") -> bytes:
        """Return the JSON body, both languages in the message, the caller's own first."""
        said: dict[Lang, str] = {"en": f"{self.what.en} {self.hint.en}", "zh": f"{self.what.zh}{self.hint.zh}"}
        message = f"{said[lang]} / {said['en' if lang == 'zh' else 'zh']}"
        error = {"message": message, "type": self.kind, "param": None, "code": self.code, "hint": self.hint.in_(lang)}
        return msgspec.json.encode({"type": "error", "error": error})  # `type` is what Anthropic's clients read

    def headers(self) -> Headers:
        """Return the header fields that belong to the answer, without its length."""
        fields: Headers = ((b"content-type", b"application/json"),)
        if self.status == 401:
            fields += ((b"www-authenticate", b'Bearer realm="safebelt"'),)
        if self.retry_after_seconds:
            fields += ((b"retry-after", b"%d" % self.retry_after_seconds),)
        return fields


def head_of(error: BeltError, headers: Headers) -> bytes:
    """Return the head of the answer."""
    return head(error.status, headers)


def invalid(code: str, what: Text, hint: Text, status: int = 400) -> BeltError:
    """Return an error that is the request's."""
    return BeltError(status=status, code=code, kind="invalid_request_error", what=what, hint=hint)


def unavailable(code: str, what: Text, hint: Text, status: int = 503, retry: int = 5) -> BeltError:
    """Return an error that is not the request's: it may be sent again."""
    return BeltError(status=status, code=code, kind="server_error", what=what, hint=hint, retry_after_seconds=retry)


MALFORMED = invalid(
    "malformed_http",
    Text(zh="请求不是有效的 HTTP/1.1。", en="The request is not valid HTTP/1.1."),
    Text(zh="请使用标准 HTTP 客户端。", en="Use a standard HTTP client."),
)
FRAMING = invalid(
    "conflicting_framing",
    Text(
        zh="请求长度自相矛盾（Content-Length 与 Transfer-Encoding 冲突或重复）。",
        en="The request contradicts itself about its length (Content-Length and Transfer-Encoding conflict or repeat).",
    ),
    Text(zh="只发送其中一个。", en="Send only one of them, once."),
)
HEAD_TOO_LARGE = invalid(
    "headers_too_large",
    Text(zh="请求头过大。", en="The header fields are too large."),
    Text(zh="请减小请求头。", en="Send fewer or smaller header fields."),
    status=431,
)
SLOW = invalid(
    "request_timeout",
    Text(zh="请求没有在时限内发送完毕。", en="The request was not sent whole in time."),
    Text(zh="请检查网络后重新发送。", en="Check the network and send it again."),
    status=408,
)
NOT_JSON = invalid(
    "malformed_json",
    Text(zh="请求正文不是有效的 JSON 对象。", en="The body is not a valid JSON object."),
    Text(zh="请检查 JSON 语法与 UTF-8 编码。", en="Check the JSON syntax and UTF-8 encoding."),
)
NOT_FORM = invalid(
    "malformed_form",
    Text(zh="请求正文不是有效的表单。", en="The body is not a valid form."),
    Text(
        zh="每个字段只出现一次，文本用 UTF-8，文件只放在接受文件的字段（videos：input_reference；音频转写：file）。",
        en="Send each field once, texts in UTF-8, and a file only where one is taken (videos: input_reference; "
        "transcriptions: file).",
    ),
)
ENCODED = invalid(
    "encoded_body",
    Text(zh="请求正文经过压缩，无法审查。", en="The body is compressed and cannot be screened."),
    Text(zh="请发送未压缩的 JSON。", en="Send plain JSON without Content-Encoding."),
    status=415,
)
METHOD = invalid(
    "method_not_allowed",
    Text(zh="该接口不接受此方法。", en="This endpoint does not take this method."),
    Text(
        zh="补全、嵌入等接口请用 POST，models 请用 GET。", en="Use POST for completions and embeddings, GET for models."
    ),
    status=405,
)
UNKNOWN_ENDPOINT = invalid(
    "unguarded_endpoint",
    Text(
        zh="安全带尚不能守护此接口，因此不予放行。",
        en="The belt cannot guard this endpoint yet, so it does not let it pass.",
    ),
    Text(
        zh="可用：/v1/chat/completions、completions、messages、responses、embeddings、moderations、images/generations、audio/speech、audio/transcriptions、audio/translations、videos、models。",
        en="Available under /v1: chat/completions, completions, messages, responses, embeddings, moderations, "
        "images/generations, audio/speech, audio/transcriptions, audio/translations, videos and models.",
    ),
    status=404,
)
TOO_DEEP = invalid(
    "nested_too_deeply",
    Text(zh="请求正文嵌套过深，无法审查。", en="The body is nested too deeply to be screened."),
    Text(zh="请减少嵌套层数。", en="Send fewer levels of nesting."),
)
QUERY = invalid(
    "unsupported_query",
    Text(
        zh="请求地址带有查询参数；安全带不转发未经审查的内容。",
        en="The address has a query; the belt passes nothing on that it does not screen.",
    ),
    Text(
        zh="请去掉问号及其后的内容，把参数放进正文。", en="Leave out the question mark and what follows; use the body."
    ),
)
UNREADABLE = invalid(
    "unreadable_input",
    Text(
        zh="输入是无法审查的形式（例如词元编号数组）。",
        en="The input is in a form that cannot be screened (token numbers, for example).",
    ),
    Text(zh="请以文本发送。", en="Send it as text."),
)
BUSY = unavailable(
    "too_many_connections",
    Text(zh="连接数已满。", en="Too many connections are open."),
    Text(zh="请稍后重试。", en="Try again shortly."),
)
UPSTREAM_DOWN = unavailable(
    "upstream_unavailable",
    Text(zh="无法连接上游模型。", en="The upstream model cannot be reached."),
    Text(
        zh="请检查 SAFEBELT_UPSTREAM 及模型服务是否运行。",
        en="Check SAFEBELT_UPSTREAM and that the model server is running.",
    ),
    status=502,
)
UPSTREAM_BROKE = unavailable(
    "upstream_broken",
    Text(zh="上游模型中断了回答或回答无法解析。", en="The upstream model broke off or its answer cannot be read."),
    Text(zh="请重试；若仍失败，请查看模型服务日志。", en="Try again; if it persists, read the model server's log."),
    status=502,
)
UNMARKED = unavailable(
    "unmarked_content",
    Text(
        zh="生成的图片或声音无法加注标识，因此不予放行。",
        en="The picture or sound that was generated cannot be marked, so it does not pass.",
    ),
    Text(
        zh="请改用能够携带标识的格式（图片：b64_json；声音：mp3、wav、flac、opus），不要使用流式输出。",
        en="Ask for a format that can carry the mark (pictures: b64_json; sound: mp3, wav, flac, opus), and no stream.",
    ),
    status=502,
    retry=0,
)
UPSTREAM_SLOW = unavailable(
    "upstream_timeout",
    Text(zh="上游模型长时间没有回答。", en="The upstream model did not answer in time."),
    Text(zh="请缩短请求或稍后重试。", en="Shorten the request or try again later."),
    status=504,
)
UNCLASSIFIED = unavailable(
    "classifier_silent",
    Text(
        zh="提示注入分类器未在时限内作出判断；本系统的规则要求在此情形下不放行。",
        en="The injection classifier did not answer in time; this system's policy lets nothing pass without it.",
    ),
    Text(zh="请稍后重试，或缩短输入。", en="Try again shortly, or send less text."),
)
RECORDS_FAILED = unavailable(
    "records_unavailable",
    Text(
        zh="无法写入记录（例如磁盘已满）；没有记录就不放行。",
        en="The record cannot be written (the disk may be full); nothing passes unrecorded.",
    ),
    Text(zh="请释放磁盘空间；安全带会自动恢复。", en="Free disk space; the belt recovers by itself."),
)
UNAUTHENTICATED = BeltError(
    status=401,
    code="invalid_api_key",
    kind="authentication_error",
    what=Text(zh="缺少密钥或密钥无效。", en="The key is missing or not known."),
    hint=Text(
        zh="请发送 Authorization: Bearer <密钥>；用 `safebelt belt keys issue` 签发。",
        en="Send Authorization: Bearer <key>; issue one with `safebelt belt keys issue`.",
    ),
)


INTERNAL = unavailable(
    "belt_error",
    Text(zh="安全带内部出错，此次请求未予放行。", en="The belt itself failed, so this request did not pass."),
    Text(
        zh="请重试；若仍失败，请把安全带日志交给维护者。",
        en="Try again; if it persists, show the belt's log to its maintainers.",
    ),
    status=500,
    retry=0,
)


def too_large(limit_bytes: int) -> BeltError:
    """Say that a body is over the limit, and what the limit is."""
    return invalid(
        "body_too_large",
        Text(zh=f"请求正文超过 {limit_bytes} 字节。", en=f"The body is larger than {limit_bytes} bytes."),
        Text(
            zh="请缩短请求，或调高 SAFEBELT_MAX_BODY_BYTES。",
            en="Shorten the request, or raise SAFEBELT_MAX_BODY_BYTES.",
        ),
        status=413,
    )


def none_left(seconds: float) -> BeltError:
    """Say that every upstream rests, and when the first is tried again."""
    after = max(1, ceil(seconds))
    return unavailable(
        "no_upstream_left",
        Text(
            zh="所有上游模型均暂时不可用；您的请求未被处理，也未发送给任何模型。",
            en="No upstream model is available now; your request was not processed, and no model has seen it.",
        ),
        Text(zh=f"请在约 {after} 秒后重试。", en=f"Try again in about {after} s."),
        retry=after,
    )


UNKNOWN_VERSION = unavailable(
    "unknown_version",
    Text(
        zh="负责人已将此系统回退到较早版本，而本安全带不知道该版本；请求没有发往较新版本。",
        en="A person has rolled this system back to an earlier version that this belt does not know; "
        "nothing was sent to the newer one.",
    ),
    Text(
        zh="请运营者在 SAFEBELT_EARLIER_VERSIONS 中写明该版本。",
        en="Ask the operator to name it in SAFEBELT_EARLIER_VERSIONS.",
    ),
    retry=30,
)


def stopped(command: str, order_id: str) -> BeltError:
    """Say that a person has stopped this system, or that it stopped by itself."""
    if order_id.startswith(f"{PREFIX}_"):
        return unavailable(
            "stopped_by_lease",
            Text(
                zh="安全带与命令总线失去联系，已自行停止：此时无人能够叫停它。",
                en="The belt has lost the command bus and stopped by itself: nobody could stop it from there now.",
            ),
            Text(zh="恢复联系后会自行继续，请稍后重试。", en="It goes on by itself when the bus is back; try again."),
            retry=5,
        )
    return unavailable(
        "stopped_by_human",
        Text(
            zh=f"负责人已对此系统下达停止命令（{command}，{order_id}）。",
            en=f"A person has stopped this system ({command}, {order_id}).",
        ),
        Text(zh="请等待负责人恢复。", en="Wait until the person in charge resumes it."),
        retry=30,
    )


def waited_in_vain(order_id: str, seconds: int) -> BeltError:
    """Say that a request waited as long as a pause lets requests wait."""
    return unavailable(
        "paused_too_long",
        Text(
            zh=f"负责人已暂停此系统（{order_id}）；您的请求等候了 {seconds} 秒，未被处理，也未发送给模型。",
            en=f"A person has paused this system ({order_id}); your request waited {seconds} s, was not processed, "
            "and no model has seen it.",
        ),
        Text(zh="请等待负责人恢复后重新发送。", en="Send it again when the person in charge has resumed it."),
        retry=30,
    )


def no_room(order_id: str) -> BeltError:
    """Say that as many requests wait already as a pause lets wait."""
    return unavailable(
        "too_many_waiting",
        Text(
            zh=f"负责人已暂停此系统（{order_id}），等候的请求已满；您的请求未被处理，也未发送给模型。",
            en=f"A person has paused this system ({order_id}), and as many requests wait as may; yours was not "
            "processed, and no model has seen it.",
        ),
        Text(zh="请等待负责人恢复后重新发送。", en="Send it again when the person in charge has resumed it."),
        retry=30,
    )


UNREAD_ORDER = unavailable(
    "unread_order",
    Text(
        zh="负责人刚下达了命令，安全带尚未能读取；在此之前不放行新的请求。",
        en="A person has just given an order that the belt could not read yet; nothing new passes before it has.",
    ),
    Text(zh="请稍后重试。", en="Try again shortly."),
)


def not_admitted(barred: NotAdmitted) -> BeltError:
    """Say why a request was not let in, and what to do."""
    status, kind = _BARRED[barred.why]
    return BeltError(
        status=status,
        code=barred.why.value,
        kind=kind,
        what=barred.reason.says,
        hint=barred.hint,
        retry_after_seconds=barred.retry_seconds,
    )


_BARRED = {
    Barred.KEY_OVER: (401, "authentication_error"),
    Barred.SCOPE: (403, "permission_error"),
    Barred.QUOTA: (429, "rate_limit_error"),
    Barred.RULE: (403, "permission_error"),
    Barred.UNKNOWN: (403, "permission_error"),
    Barred.SUSPENDED: (403, "permission_error"),
    Barred.LIMITED: (429, "rate_limit_error"),
    Barred.NO_MINORS: (503, "server_error"),
}
"""HTTP status, and the client libraries' name, of each."""


def refused(title: Text, appeal: Text, complain_at: Text | None = None) -> BeltError:
    """Say which class of rule refused the input, and how to appeal (invariant 17).

    Args:
        title: The rule's.
        appeal: How to appeal, in the policy's words.
        complain_at: Address of the complaints' page about the system, where there is one.
    """
    hint = appeal
    if complain_at is not None:
        hint = Text(zh=f"{appeal.zh} 投诉：{complain_at.zh}", en=f"{appeal.en} Complain: {complain_at.en}")
    return invalid(
        "content_filter",
        Text(
            zh=f"输入因以下规则类别被拒绝：{title.zh}。",
            en=f"The input was refused by a rule of this class: {title.en}.",
        ),
        hint,
    )
