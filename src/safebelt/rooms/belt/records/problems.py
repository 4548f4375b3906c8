"""What can go wrong with the records, said so that a person can act on it."""

import errno
from collections.abc import Mapping

from safebelt.kernel.errors import Invalid, NotFound, Problem, Unavailable
from safebelt.kernel.text import Text

_SPACE = Text(
    zh="请释放磁盘空间；记录会自行恢复，此前安全带拒绝新的请求。",
    en="Free disk space; the records recover by themselves, and until then the belt refuses new requests.",
)
_HINTS: Mapping[int, Text] = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EFBIG: Text(
        zh="请提高进程的文件大小限制（ulimit -f）；记录会自行恢复。",
        en="Raise the process's file size limit (ulimit -f); the records recover by themselves.",
    ),
    errno.EIO: Text(
        zh="请检查磁盘健康状况（系统日志）；磁盘恢复后记录会自行恢复。",
        en="Check the disk's health (system log); once it answers again the records recover by themselves.",
    ),
    errno.EROFS: Text(zh="请将文件系统重新挂载为可写。", en="Mount the file system writable again."),
    errno.EACCES: Text(
        zh="请让运行安全带的用户能够写入记录目录。",
        en="Let the user that runs the belt write the records' folder.",
    ),
}
_ANY = Text(
    zh="请检查磁盘与系统日志；记录每半秒自动重试一次。",
    en="Check the disk and the system log; the records try again by themselves every half second.",
)


def refused_by_disk(error: OSError) -> Unavailable:
    """Say what the disk refused; `details.errno` has its name."""
    name = errno.errorcode.get(error.errno or 0, "unknown")
    return Unavailable(
        what=Text(
            zh=f"无法写入交互记录：{error.strerror or error}（{name}）。",
            en=f"Exchange records cannot be written: {error.strerror or error} ({name}).",
        ),
        hint=_HINTS.get(error.errno or 0, _ANY),
        details={"errno": name},
    )


def unexpected(error: Exception) -> Problem:
    """Say that writing failed for a reason that is not the disk's; a Problem already says it."""
    if isinstance(error, Problem):
        return error
    return Unavailable(
        what=Text(zh=f"写入交互记录时出错：{error!r}。", en=f"Writing exchange records failed: {error!r}."),
        hint=Text(
            zh="请查看系统日志并报告该错误；记录会自动重试。",
            en="See the system log and report this error; the records try again by themselves.",
        ),
    )


def lagging(waiting: int) -> Unavailable:
    """Say that the disk is too slow for the traffic."""
    return Unavailable(
        what=Text(
            zh=f"记录写入跟不上流量（{waiting} 条在等待）。",
            en=f"Recording lags behind the traffic ({waiting} records wait).",
        ),
        hint=Text(
            zh="请稍后重试；若持续出现，请换用更快的磁盘或减少流量。",
            en="Try again shortly; if it persists, use a faster disk or send less traffic.",
        ),
        details={"waiting": str(waiting)},
    )


def closed() -> Unavailable:
    """Say that the writer has not started or was stopped."""
    return Unavailable(
        what=Text(zh="记录已关闭。", en="The records are closed."),
        hint=Text(zh="请重新启动安全带。", en="Start the belt again."),
    )


def too_large(size: int, most: int) -> Invalid:
    """Say that one record is longer than any line may be."""
    return Invalid(
        what=Text(
            zh=f"一条记录约 {size} 字节，超过上限 {most}。", en=f"A record of about {size} bytes exceeds {most}."
        ),
        hint=Text(zh="请缩短请求或回复。", en="Send a shorter request, or limit the reply."),
        details={"size": str(size), "most": str(most)},
    )


def bad_type(name: str) -> Invalid:
    """Say that a record's type is none of the three."""
    return Invalid(
        what=Text(zh=f"“{name}”不是记录类型。", en=f"“{name}” is not a type of record."),
        hint=Text(zh="请使用 intent、outcome 或 note。", en="Use intent, outcome or note."),
    )


def bad_id(most: int) -> Invalid:
    """Say that a record's id is none."""
    return Invalid(
        what=Text(zh="记录的标识无效。", en="The record's id is not valid."),
        hint=Text(zh=f"请使用 1 至 {most} 个可打印的 ASCII 字符。", en=f"Use 1 to {most} printable ASCII characters."),
    )


def no_record(segment: str, offset: int) -> NotFound:
    """Say that no readable record stands at a place."""
    return NotFound(
        what=Text(
            zh=f"{segment} 的 {offset} 处没有可读的记录。", en=f"No readable record stands at {offset} of {segment}."
        ),
        hint=Text(
            zh="请重建索引；若仍找不到，请运行 safebelt belt verify。",
            en="Rebuild the index; if it is still not found, run safebelt belt verify.",
        ),
        details={"segment": segment, "offset": str(offset)},
    )


def no_head(segment: str, offset: int) -> Unavailable:
    """Say that a record cannot be proven yet."""
    return Unavailable(
        what=Text(zh="该记录尚未被签名树头覆盖。", en="No signed head covers this record yet."),
        hint=Text(zh="请一秒后重试。", en="Try again in a second."),
        details={"segment": segment, "offset": str(offset)},
    )


def does_not_prove(segment: str) -> Unavailable:
    """Say that a segment no longer matches its signed head, so that nothing in it can be proven."""
    return Unavailable(
        what=Text(
            zh=f"{segment} 与其签名树头不一致，无法出具证明。",
            en=f"{segment} does not match its signed head: nothing in it can be proven.",
        ),
        hint=Text(
            zh="请运行 safebelt belt verify，查看被改动之处。",
            en="Run safebelt belt verify to see what was changed.",
        ),
        details={"segment": segment},
    )


def content_changed(segment: str, offset: int) -> Unavailable:
    """Say that a record's content is not what its core says."""
    return Unavailable(
        what=Text(
            zh=f"{segment} 的 {offset} 处记录的内容与其摘要不符：被改动过。",
            en=f"The content of the record at {offset} of {segment} does not match its digest: it was changed.",
        ),
        hint=Text(zh="请勿采信，并运行 safebelt belt verify。", en="Do not rely on it, and run safebelt belt verify."),
        details={"segment": segment, "offset": str(offset)},
    )
