"""What a backup and a restore say to whoever asked for them."""

from typing import Any

from safebelt.kernel.conditions import Truth
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.ledger.model import PersonalErased
from safebelt.run.keeping.backup import BackedUp
from safebelt.run.keeping.later import Forgotten
from safebelt.run.keeping.restore import SET_ASIDE, Restored, Target, verdict
from safebelt.settings import Settings
from safebelt.web.terminal import DONE, NEGATIVE, NOT_EVALUATED, Answer

_EXIT = {Truth.TRUE: DONE, Truth.FALSE: NEGATIVE, Truth.UNKNOWN: NOT_EVALUATED}


def backed_up(done: BackedUp) -> Answer:
    """Say what was written."""
    manifest = done.manifest
    rows = sum(manifest["tables"].values())
    last = manifest["checkpoint"]
    data = {
        "file": str(done.file),
        "sha256": done.sha256,
        "bytes": done.size,
        "is_encrypted": done.is_sealed,
        "rows": rows,
        "files": manifest["files"],
        **{name: manifest[name] for name in ("revision", "made_at", "checkpoint", "trouble")},
    }
    lines = {lang: _backup_lines(done, rows, lang) for lang in LANGS}
    if last is not None:
        lines["zh"].append(f"账本：{last['size']} 条，根 {last['root']}。请把此行与文件的 SHA-256 另存一处。")
        lines["en"].append(
            f"Ledger: {last['size']} entries, root {last['root']}. Keep this line and the file's SHA-256 elsewhere."
        )
    if manifest["trouble"]:
        lines["zh"].append(f"注意：账本未能推进，备份照其现状：{manifest['trouble']}")
        lines["en"].append(f"Note: the log could not be advanced, and is kept as it is: {manifest['trouble']}")
    says = Text(zh="\n".join(lines["zh"]), en="\n".join(lines["en"]))
    return Answer(data=data, says=says, exit_code=NEGATIVE if manifest["trouble"] else DONE)


def _backup_lines(done: BackedUp, rows: int, lang: Lang) -> list[str]:
    files, size = done.manifest["files"], done.size
    said = [
        Text(
            zh=f"已备份到 {done.file}：{rows} 行、{files} 个文件，{size} 字节。",
            en=f"Backed up to {done.file}: {rows} rows, {files} files, {size} bytes.",
        ),
        Text(zh=f"SHA-256 {done.sha256}", en=f"SHA-256 {done.sha256}"),
    ]
    if not done.is_sealed:
        said.append(
            Text(
                zh="此文件未加密，其中有全部私钥和个人信息：须与原系统同样保管（权限 0600）。",
                en="This file is NOT encrypted and holds every private key and all personal data: "
                "guard it like the house itself (its mode is 0600).",
            )
        )
    return [text.in_(lang) for text in said]


def restored(settings: Settings, done: Restored, target: Target) -> Answer:
    """Say what came of a restore, and what a person has to do now."""
    seen, manifest = done.seen, done.manifest
    log = seen.log
    data = {
        "home": None if target.is_check else str(done.home),
        "replaced": None if done.kept is None else str(done.kept),
        "verdict": {Truth.TRUE: "holds", Truth.FALSE: "broken", Truth.UNKNOWN: "nothing to verify"}[seen.holds],
        "rows": sum(manifest["tables"].values()),
        "files": manifest["files"],
        "checkpoint": manifest["checkpoint"],
        "made_at": manifest["made_at"],
        "entries": None if log is None else log.entries,
        "faults": [] if log is None else [{"where": f.where, "says": f.says.en} for f in log.faults],
        "receipts": len(seen.receipts),
        "records": {"holds": seen.records.holds.value, **seen.records.counts()},
        "problems": [problem.en for problem in seen.problems],
        "unnamed_versions": list(seen.unnamed),
        "is_witness_key_retired": done.is_witness_retired and not target.is_check,
        "forgotten": None if done.forgotten is None else _forgotten_data(done.forgotten),
    }
    says = [*_seen_lines(done, target), *([] if target.is_check else _duties(settings, done, target))]
    says.extend([] if done.forgotten is None else _forgotten_lines(done.forgotten))
    text = Text(zh="\n".join(each.zh for each in says), en="\n".join(each.en for each in says))
    return Answer(data=data, says=text, exit_code=_EXIT[seen.holds])


def _seen_lines(done: Restored, target: Target) -> list[Text]:
    seen, made_at = done.seen, done.manifest["made_at"]
    rows, files = sum(done.manifest["tables"].values()), done.manifest["files"]
    if target.is_check:
        head = Text(
            zh=f"已在旁处恢复 {made_at} 的备份并丢弃：{rows} 行、{files} 个文件，与清单相符。",
            en=f"The backup of {made_at} was restored beside and thrown away: "
            f"{rows} rows, {files} files, as its manifest says.",
        )
    else:
        head = Text(
            zh=f"已把 {made_at} 的备份恢复到 {done.home}：{rows} 行、{files} 个文件，与清单相符。",
            en=f"The backup of {made_at} is restored to {done.home}: {rows} rows, {files} files, as its manifest says.",
        )
    lines = [head]
    if seen.log is not None:
        lines.append(
            Text(
                zh=f"账本：{seen.log.entries} 条、{seen.log.checkpoints} 个检查点，{len(seen.receipts)} 份回执已核对。",
                en=f"Ledger: {seen.log.entries} entries, {seen.log.checkpoints} checkpoints; "
                f"{len(seen.receipts)} receipts were made and checked.",
            )
        )
        lines.extend(Text(zh=f"  {f.where}：{f.says.zh}", en=f"  {f.where}: {f.says.en}") for f in seen.log.faults)
    reason = seen.records.reason
    lines.append(Text(zh=f"往来记录：{reason.as_text('zh')}", en=f"Exchange records: {reason.as_text('en')}"))
    lines.extend(Text(zh=f"  {problem.zh}", en=f"  {problem.en}") for problem in seen.problems)
    return [*lines, verdict(seen)]


def _duties(settings: Settings, done: Restored, target: Target) -> list[Text]:
    """Say what a person has to do or to know after going back."""
    lines = list[Text]()
    if done.kept is not None:
        lines.append(Text(zh=f"原目录保留在 {done.kept}。", en=f"The folder that was there is kept at {done.kept}."))
    if done.is_witness_retired:
        lines.append(
            Text(
                zh=f"见证密钥已停用（{SET_ASIDE}），并将换新：请把 `safebelt ledger witness key` 交给所见证的日志。",
                en=f"The witness's key is out of use ({SET_ASIDE}), and a new one will be made: hand "
                "`safebelt ledger witness key` to the logs that you witness.",
            )
        )
    lines.append(
        Text(
            zh="备份之后发生的事均已不在：注销的令牌、抹除的个人信息、吊销的证书须重新办理；"
            "如有比备份更新的检查点，请公开说明。",
            en="Whatever came after the backup is gone: revoke tokens and certificates and erase personal data again; "
            "if anybody holds a later checkpoint than the backup's, say so openly.",
        )
    )
    lines.extend(_settings_to_set(settings, done, target))
    return lines


def _settings_to_set(ours: Settings, done: Restored, target: Target) -> list[Text]:
    """Name the settings with which the old house ran, where this shell has others."""
    lines = list[Text]()
    for name, value in {"log_origin": done.manifest["origin"], "witness_name": done.manifest["witness"]}.items():
        if getattr(ours, name) != value:
            line = f"SAFEBELT_{name.upper()}={value}"
            lines.append(Text(zh=f"请设置 {line}", en=f"Set {line}"))
    if ours.signing_key is not None:
        lines.append(
            Text(
                zh=f"签名密钥在 {done.home}/keys/ledger.key：请移到 {ours.signing_key}，或去掉 SAFEBELT_SIGNING_KEY。",
                en=f"The signing key is in {done.home}/keys/ledger.key: move it to {ours.signing_key}, or unset "
                "SAFEBELT_SIGNING_KEY.",
            )
        )
    if target.database and target.database != ours.database_url:
        lines.append(
            Text(zh="请把 SAFEBELT_DATABASE_URL 设为该数据库。", en="Set SAFEBELT_DATABASE_URL to that database.")
        )
    if done.seen.unnamed:
        names = ", ".join(done.seen.unnamed)
        then = done.manifest["settings"].get("earlier_versions", "{}")
        lines.append(
            Text(
                zh=f"生效的回退指向本机设置未写明的版本：{names}。写明之前，所回退的请求一律被拒绝。"
                f"请设置 SAFEBELT_EARLIER_VERSIONS（备份时为 {then}）及其密钥，或撤销回退。",
                en=f"Roll-backs in force lead to versions that the settings here do not name: {names}. Until they do, "
                f"what is rolled back is refused. Set SAFEBELT_EARLIER_VERSIONS (it was {then}) and its keys, or roll "
                "forward.",
            )
        )
    others = sorted(set(done.manifest["settings"]) - {"home", "log_origin", "witness_name"})
    if others:
        named = ", ".join(f"SAFEBELT_{name.upper()}" for name in others)
        lines.append(
            Text(
                zh=f"原系统还设置了：{named}（机密不在备份中）。",
                en=f"The old house also had set: {named} (secrets are not in a backup).",
            )
        )
    return lines


def _forgotten_data(found: Forgotten) -> dict[str, Any]:
    return {
        "entries": found.entries,
        "taken_back": [{"index": one.index, "kind": one.kind, "subject": one.subject} for one in found.taken_back],
        "erased_again": list(found.erased_again),
    }


def _forgotten_lines(found: Forgotten) -> list[Text]:
    """Name what the later log knows to have been erased, revoked or stopped since the backup."""
    lines = [
        Text(
            zh=f"较晚的日志有 {found.size} 条，其中 {found.entries} 条本系统已不记得；"
            f"{len(found.taken_back)} 条须重新办理：",
            en=f"The later log has {found.size} entries; this house has forgotten {found.entries} of them, "
            f"{len(found.taken_back)} of which have to be done again:",
        )
    ]
    again = frozenset(found.erased_again)
    for one in found.taken_back:
        is_done = one.kind == PersonalErased.kind and one.subject in again
        line = f"  {one.index}  {one.kind}  {one.subject}"
        lines.append(
            Text(zh=line + ("  已重新抹除" if is_done else ""), en=line + ("  erased again" if is_done else ""))
        )
    return lines
