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
            zh="请运行 `safebelt ledger verify` 查明；若条目无误，移走瓦片目录后会自动重建。",
            en="Run `safebelt ledger verify` to see where; if the entries are right, move the tiles folder away: "
            "it is rebuilt.",
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
