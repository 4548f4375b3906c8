"""The ways in which the ledger says no, each with what to do next."""

from safebelt.kernel.errors import Conflict, Invalid, NotFound, Unavailable
from safebelt.kernel.text import Text


def no_entry(entry_id: str) -> NotFound:
    """There is no such entry."""
    return NotFound(
        what=Text(zh=f"没有存证条目 {entry_id}。", en=f"There is no ledger entry {entry_id}."),
        hint=Text(
            zh="请核对编号，或用 `safebelt ledger list` 查找。",
            en="Check the id, or look with `safebelt ledger list`.",
        ),
    )


def no_checkpoint(size: int) -> NotFound:
    """No checkpoint of that size was published."""
    return NotFound(
        what=Text(zh=f"没有大小为 {size} 的检查点。", en=f"No checkpoint of size {size} was published."),
        hint=Text(
            zh="请使用您此前保存的检查点第二行的数字；最新检查点见 /log/checkpoint。",
            en="Use the number in the second line of a checkpoint you kept; the newest is at /log/checkpoint.",
        ),
    )


def nothing_published() -> NotFound:
    """The log is empty."""
    return NotFound(
        what=Text(zh="账本还没有已签署的检查点。", en="The log has no signed checkpoint yet."),
        hint=Text(
            zh="第一项治理行为（例如登记系统）存证后一秒内即会产生。",
            en="The first act of governance, such as registering a system, makes one within a second.",
        ),
    )


def no_file() -> NotFound:
    """The static log has no such file."""
    return NotFound(
        what=Text(zh="公开日志中没有该文件。", en="The public log has no such file."),
        hint=Text(
            zh="请先读取 /log/checkpoint 得到日志大小；部分瓦片满后由完整瓦片取代。",
            en="Read /log/checkpoint for the log's size first; a partial tile gives way to the full one.",
        ),
    )


def wrong_order() -> Invalid:
    """The sizes of two checkpoints are the wrong way round."""
    return Invalid(
        what=Text(zh="较早的检查点反而更大。", en="The earlier checkpoint is the larger one."),
        hint=Text(zh="请交换两个大小。", en="Swap the two sizes."),
        details={"field": "old"},
    )


def nothing_to_erase(entry_id: str) -> Conflict:
    """The entry has no personal data, or none any more."""
    return Conflict(
        what=Text(zh=f"条目 {entry_id} 没有可删除的个人信息。", en=f"Entry {entry_id} has no personal data to erase."),
        hint=Text(zh="请核对编号；也可能此前已删除。", en="Check the id; it may have been erased before."),
    )


def contradiction() -> Conflict:
    """What is stored contradicts what was signed: signing on would fork the log."""
    return Conflict(
        what=Text(
            zh="数据库与此前已签署的检查点相矛盾，账本停止签署。",
            en="The database contradicts a checkpoint signed before, so the ledger has stopped signing.",
        ),
        hint=Text(
            zh="可能恢复了旧备份或删改了记录。请运行 `safebelt ledger verify`，并恢复更新的备份。",
            en="An old backup was restored or rows were removed. Run `safebelt ledger verify`, restore a newer one.",
        ),
    )


def damaged() -> Unavailable:
    """Rows, tiles and the signed root do not agree."""
    return Unavailable(
        what=Text(
            zh="账本的条目、瓦片与已签署的检查点不一致。",
            en="The ledger's entries, tiles and signed checkpoint do not agree.",
        ),
        hint=Text(
            zh="请运行 `safebelt ledger verify` 查明；若条目无误，移走瓦片目录及旁边的树目录（`…-tree`）后会自动重建。",
            en="Run `safebelt ledger verify` to see where; if the entries are right, move the tiles' folder and the "
            "tree's beside it (`…-tree`) away: both are rebuilt.",
        ),
    )


def unreadable(what: str) -> Unavailable:
    """One stored thing cannot be read as what it should be."""
    return Unavailable(
        what=Text(zh=f"账本中的 {what} 已损坏，无法读取。", en=f"In the ledger {what} is damaged and cannot be read."),
        hint=Text(
            zh="请运行 `safebelt ledger verify` 查明全部损坏之处。",
            en="Run `safebelt ledger verify` to name everything that is damaged.",
        ),
    )


def no_origin(limit: int) -> Invalid:
    """A log cannot have this name here."""
    return Invalid(
        what=Text(zh="日志名称无效。", en="This cannot be the name of a log."),
        hint=Text(
            zh=f"请使用其检查点第一行的名称，1 至 {limit} 个可见字符。",
            en=f"Use the first line of its checkpoints: 1 to {limit} printable characters.",
        ),
        details={"field": "origin"},
    )


def own_log() -> Invalid:
    """A house cannot witness itself."""
    return Invalid(
        what=Text(zh="不能见证自己的日志。", en="A house cannot witness its own log."),
        hint=Text(
            zh="自己的联署不能证明任何事；请由他人见证：`safebelt ledger witness ask`。",
            en="Its own cosignature would prove nothing; have others witness it: `safebelt ledger witness ask`.",
        ),
        details={"field": "origin"},
    )


def too_many_keys(limit: int) -> Invalid:
    """No key, or more than anybody needs."""
    return Invalid(
        what=Text(zh=f"公钥须为 1 至 {limit} 个。", en=f"There must be 1 to {limit} keys."),
        hint=Text(zh="请只给出对方正在使用的公钥。", en="Give the keys in use over there, and no others."),
        details={"field": "key"},
    )


def watched_already(origin: str) -> Conflict:
    """The log is witnessed with these very keys."""
    return Conflict(
        what=Text(zh=f"已在见证 {origin}，公钥相同。", en=f"{origin} is witnessed already, with these keys."),
        hint=Text(
            zh="无需再做什么；`safebelt ledger witness list` 可查看。",
            en="There is nothing left to do; `safebelt ledger witness list` shows it.",
        ),
    )


def not_watched(origin: str) -> NotFound:
    """The log is not witnessed here."""
    return NotFound(
        what=Text(zh=f"此处不见证日志 {origin}。", en=f"The log {origin} is not witnessed here."),
        hint=Text(
            zh="见证人须先执行 `safebelt ledger witness add`。",
            en="Its witness has to run `safebelt ledger witness add` first.",
        ),
    )


def not_consistent() -> Invalid:
    """A checkpoint is not shown to add to what was cosigned before."""
    return Invalid(
        what=Text(
            zh="该检查点未被证明只在此前联署的日志之后追加。",
            en="The checkpoint is not shown to only add to the one cosigned before.",
        ),
        hint=Text(
            zh="请附上从旧大小到新大小的 RFC 6962 一致性证明；若无法给出，则日志曾被改写。",
            en="Send the RFC 6962 consistency proof between the sizes; where there is none, the log was rewritten.",
        ),
        details={"field": "proof"},
    )


def nothing_cosigned() -> NotFound:
    """We have cosigned nothing of that log."""
    return NotFound(
        what=Text(zh="此处尚未联署该日志的任何检查点。", en="No checkpoint of that log has been cosigned here."),
        hint=Text(
            zh="地址中应为日志名称的 SHA-256（小写十六进制）。",
            en="The address holds the SHA-256 of the log's origin, in lower-case hex.",
        ),
    )


def no_url() -> Invalid:
    """A witness cannot be asked there."""
    return Invalid(
        what=Text(zh="这不是可以请求见证的地址。", en="This is not an address where a witness can be asked."),
        hint=Text(
            zh="请使用 http 或 https 的提交前缀，不含账号、查询串和片段，例如 https://example.org/witness。",
            en="Use the submission prefix, http or https, without account, query and fragment, "
            "for example https://example.org/witness.",
        ),
        details={"field": "url"},
    )


def no_cosigner_key() -> Invalid:
    """A key that cannot cosign."""
    return Invalid(
        what=Text(zh="这不是见证人的联署公钥。", en="This is not the key of a cosigner."),
        hint=Text(
            zh="请向见证人索取 `safebelt ledger witness key` 的输出；日志自己的公钥（`ledger key`）不是联署公钥。",
            en="Ask the witness for what `safebelt ledger witness key` prints; a log's own key is another.",
        ),
        details={"field": "key"},
    )


def asked_already(url: str) -> Conflict:
    """The witness is asked with these very keys, or its key belongs to another address."""
    return Conflict(
        what=Text(
            zh=f"已在请求 {url} 见证，或其公钥已用于另一地址。",
            en=f"{url} is asked already, or another is with its key.",
        ),
        hint=Text(
            zh="`safebelt ledger witness list` 可查看；先用 `drop` 停用旧地址。",
            en="`safebelt ledger witness list` shows whom we ask; `drop` the old address first.",
        ),
    )


def too_many_witnesses(limit: int) -> Conflict:
    """More witnesses than a note has room for."""
    return Conflict(
        what=Text(zh=f"见证人已达 {limit} 个。", en=f"There are {limit} witnesses already."),
        hint=Text(zh="请先停用一个。", en="Drop one first."),
    )


def not_asked(url: str) -> NotFound:
    """No witness is asked there."""
    return NotFound(
        what=Text(zh=f"没有向 {url} 请求见证。", en=f"No witness is asked at {url}."),
        hint=Text(
            zh="`safebelt ledger witness list` 列出了全部见证人。",
            en="`safebelt ledger witness list` shows all whom we ask.",
        ),
    )
