#!/usr/bin/env python3
"""Checks a receipt of a Safebelt ledger offline: this file, Python 3.8 or newer, the log's public key, nothing else.

    python safebelt_verify.py RECEIPT --key KEY [--witness KEY]... [--quorum M] [--lang zh|en] [--json]

RECEIPT is a file, or - for standard input.  KEY is a verifier key (name+id+base64), or a file of them, one a line.
Exit 0: included.  1: not.  2: bad use.  With `--as consistency` or `--as checkpoint` another question is asked.
离线核验安全带账本的回执：只需本文件、Python 3.8 或更高版本和日志公钥。退出码 0 已载入，1 未载入，2 用法有误。

Formats: C2SP tlog-proof, tlog-checkpoint, signed-note, tlog-cosignature (Ed25519).  Hashes: RFC 6962; walks: RFC 9162
section 2.1; signatures: RFC 8032.  Parsing is strict: one meaning has one spelling, so no byte changes unseen.
"""

# Laid out by hand, so that an auditor has fewer pages; for Python 3.8 as well.  Wording is written `中文|English`.
# fmt: off
# ruff: noqa: UP006, UP014, UP035, UP045, B905, PTH123, E501

import argparse
import base64
import json
import re
import sys
from datetime import datetime
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

RECEIPT, CONSISTENCY = "c2sp.org/tlog-proof@v1", "safebelt tlog-consistency@v1"
MAX_BYTES, MAX_SIGNATURES = 4 * 1024 * 1024, 100

class CheckError(Exception):
    """Why a step does not hold; outside any step, why nothing can be judged."""

def hold(condition: object, why: str) -> None:
    """Fail the step where the condition does not hold."""
    if not condition:
        raise CheckError(why)

# ---- Ed25519 (RFC 8032 section 5.1): without cofactor; one spelling of points and S; no points of small order --------
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)
Point = Tuple[int, int, int, int]  # X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z

def add(p: Point, q: Point) -> Point:
    """Add two points, equal or not (section 5.1.4)."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P

def decode_point(data: bytes) -> Optional[Point]:
    """Read 32 bytes as a point in its only spelling (section 5.1.3); None where they are none, or one of small order."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (1 << 255) - 1
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    x = x if v * x * x % P == u else x * ROOT_OF_MINUS_1 % P
    if len(data) != 32 or y >= P or v * x * x % P != u or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    found = eightfold = (x, y, 1, x * y % P)
    for _ in range(3):
        eightfold = add(eightfold, eightfold)
    return None if eightfold[0] == 0 else found  # a key of small order would sign everything

NEUTRAL: Point = (0, 1, 1, 0)
BASE = decode_point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little")) or NEUTRAL

def has_signed(public: bytes, signature: bytes, message: bytes) -> bool:
    """Say whether the key made the signature: R = [S]B - [k]A (section 5.1.7)."""
    a, r, s = decode_point(public), decode_point(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L or len(signature) != 64:
        return False
    k = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % L
    minus_a = (P - a[0], a[1], 1, P - a[3])
    table, found = (NEUTRAL, BASE, minus_a, add(BASE, minus_a)), NEUTRAL
    for bit in range(252, -1, -1):  # both products in one pass: a bit of S and a bit of k choose what is added
        found = add(add(found, found), table[s >> bit & 1 | (k >> bit & 1) << 1])
    return (found[0] - r[0] * found[2]) % P == 0 and (found[1] - r[1] * found[2]) % P == 0

# ---- spelling, keys, signed notes, checkpoints (C2SP signed-note, tlog-cosignature, tlog-checkpoint) -----------------
def decode64(text: str, size: Optional[int] = None) -> bytes:
    """Read base64 in its one canonical spelling; with a size, of that many bytes."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except ValueError:
        data = b"\0"
    hold(base64.b64encode(data).decode() == text, "有一处 Base64 写法不规范。|Some base64 is not in canonical form.")
    hold(size in (None, len(data)), f"有一个哈希不是 {size} 字节。|A hash does not have {size} bytes.")
    return data

def decode_number(text: str) -> int:
    """Read a plain decimal number below 10^19."""
    hold(re.match(r"(0|[1-9][0-9]{0,18})\Z", text), "有一个数字写法不规范。|A number is not plain decimal.")
    return int(text)

def decode_text(data: bytes) -> str:
    """Read a file as text, and name what happens to files on their way."""
    hold(b"\r" not in data, "换行符被改动过（CRLF），请索取原始文件。|The line ends were changed (CRLF): ask for the original.")
    hold(data.decode("utf-8", "ignore").encode() == data, "文件不是 UTF-8 文本。|The file is not UTF-8 text.")
    return data.decode("utf-8")

# A verifier key (kind 1 of a log, 4 of a witness, both Ed25519); what a checkpoint says, and the note that says it.
Key = NamedTuple("Key", [("name", str), ("key_id", bytes), ("kind", int), ("public", bytes)])
Checkpoint = NamedTuple("Checkpoint", [("origin", str), ("size", int), ("root", bytes), ("note", str)])

def is_name(text: str) -> bool:
    """Say whether a key may be called that."""
    return bool(text) and "+" not in text and text.isprintable() and not any(c.isspace() for c in text)

def parse_key(text: str, kind: int) -> Optional[Key]:
    """Read `name+hex id+base64 of kind and key`; None where it is not exactly that."""
    try:
        name, key_id, data = text.strip().split("+", 2)
        raw = decode64(data)
    except (ValueError, CheckError):
        return None
    wanted = sha256(name.encode("utf-8", "replace") + b"\n" + raw).digest()[:4]
    is_sound = is_name(name) and len(raw) == 33 and raw[0] == kind and wanted.hex() == key_id
    return Key(name, wanted, kind, raw[1:]) if is_sound else None

def read_keys(given: Sequence[str], kind: int) -> List[Key]:
    """Read keys given as text, or as files of them, one a line."""
    found = []
    for one in given:
        try:
            lines = [one] if parse_key(one, kind) else Path(one).read_text("utf-8-sig").split("\n")
        except (OSError, ValueError):
            lines = [one]
        for line in filter(str.strip, lines):
            key = parse_key(line, kind)
            if key is None:
                shown, zh, en = line[:60].replace("|", ""), *(("日志", "a log") if kind == 1 else ("见证方", "an Ed25519 witness"))
                raise CheckError(f"既非{zh}公钥，也非公钥文件：{shown}|Neither the key of {en} nor a file of keys: {shown}")
            found.append(key)
    return found

def parse_note(note: str) -> Tuple[str, List[Tuple[str, bytes]]]:
    """Split a signed note into its text, newline included, and pairs of a key's name, and its id with the signature."""
    head, gap, tail = note.rpartition("\n\n")
    *lines, last = tail.split("\n")
    is_sound = gap and last == "" and all(c >= " " or c == "\n" for c in note) and 0 < len(lines) <= MAX_SIGNATURES
    hold(is_sound, "检查点不是签名笔记。|The checkpoint is not a signed note.")
    signatures = []
    for line in lines:
        mark, name, data = line.split(" ") if line.count(" ") == 2 else ("", "", "")
        hold(mark == "—" and is_name(name), "有一行签名格式不对。|A line with a signature is malformed.")
        signatures.append((name, decode64(data)))
        hold(len(signatures[-1][1]) > 4, "有一个签名过短。|A signature is too short.")
    return head + "\n", signatures

def signers(note: str, keys: Sequence[Key]) -> Dict[Key, List[int]]:
    """Return who of the keys signed, with the times of witnesses (a log's are 0); -1 where a signature is wrong."""
    text, signatures = parse_note(note)
    known = {(key.name, key.key_id): key for key in keys}
    found: Dict[Key, List[int]] = {}
    for name, data in signatures:
        key = known.get((name, data[:4]))
        if key is not None:
            at, signature = (int.from_bytes(data[4:12], "big"), data[12:]) if key.kind == 4 else (0, data[4:])
            message = f"cosignature/v1\ntime {at}\n{text}" if key.kind == 4 else text
            holds = at < 2**63 and has_signed(key.public, signature, message.encode())
            found.setdefault(key, []).append(at if holds else -1)
    return found

def parse_checkpoint(note: str) -> Checkpoint:
    """Read a checkpoint; who signed it is another question."""
    text, gap, _ = note.partition("\n\n")
    lines = text.split("\n")
    hold(gap and len(lines) >= 3 and all(lines), "检查点不完整。|The checkpoint is not whole.")
    return Checkpoint(lines[0], decode_number(lines[1]), decode64(lines[2], 32), note)

def open_checkpoint(top: Checkpoint, keys: Sequence[Key]) -> None:
    """Hold that a key given signed exactly this checkpoint, and that it is the key of this log or of the one above."""
    (text, signed), found = parse_note(top.note), signers(top.note, keys)
    names = ", ".join(dict.fromkeys(name.replace("|", "") for name, _ in signed))
    hold(found, f"给出的公钥均未签署（签署者：{names}）。|None of the keys given signed it ({names} did).")
    hold(not any(-1 in times for times in found.values()), "签名与文本不符。|The signature does not fit the text.")
    hold(text == top.note.partition("\n\n")[0] + "\n", "签署的内容不止是检查点。|More was signed than the checkpoint.")
    is_named = any(f"{top.origin}/".startswith(f"{key.name}/") for key in found)
    hold(is_named, "签署公钥属于另一日志。|The key that signed is named after another log.")

# ---- trees (RFC 6962; RFC 9162 sections 2.1.3.2 and 2.1.4.2) ---------------------------------------------------------
def node(left: bytes, right: bytes) -> bytes:
    """Hash two children."""
    return sha256(b"\x01" + left + right).digest()

def climb(fn: int, sn: int, seed: bytes, path: Sequence[bytes]) -> Tuple[bytes, bytes]:
    """Walk up from node `fn` of a level whose last is `sn`; return the roots of the tree ending there and of all."""
    fr = sr = seed
    for c in path:
        if sn == 0:
            return b"", b""
        if fn & 1 or fn == sn:
            fr, sr = node(c, fr), node(c, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return (fr, sr) if sn == 0 else (b"", b"")

def is_included(index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> bool:
    """Say whether the path leads from the leaf at that index to the root."""
    return 0 <= index < size and climb(index, size - 1, leaf, path)[1] == root

def is_prefix(old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Say whether the tree of `old` leaves begins the tree of `new` leaves."""
    if not 0 < old < new or not path:
        return 0 < old == new and not path and old_root == new_root
    first, *rest = [old_root, *path] if old & (old - 1) == 0 else path
    level = (old & -old).bit_length() - 1  # of the last whole subtree of the old tree, where the walk begins
    return climb((old - 1) >> level, (new - 1) >> level, first, rest) == (old_root, new_root)

# ---- judgments: each names a step and takes it; the first that does not hold ends it ---------------------------------
# What is asked about and whom the reader trusts; and, filled on the way, what witnesses said and what is proven.
Case = NamedTuple("Case", [
    ("data", bytes), ("keys", Sequence[Key]), ("witnesses", Sequence[Key]), ("quorum", int),
    ("heard", List[Dict[str, Any]]), ("proven", Dict[str, Any])])
SIGNED = "检查点由给出的公钥签署，且公钥属于此日志。|The checkpoint is signed by a key given, and that key is this log's."

def receipt(case: Case) -> Iterator[str]:
    """Judge whether an entry is in the log (C2SP tlog-proof, with the entry's bytes as `extra`)."""
    yield "文件是格式完整的回执。|The file is a well-formed receipt."
    head, gap, note = decode_text(case.data).partition("\n\n")
    lines = head.split("\n")
    is_sound = gap and len(lines) > 2 and lines[0] == RECEIPT and lines[1][:6] == "extra " and lines[2][:6] == "index "
    hold(is_sound, "前几行不是回执的格式。|The first lines are not those of a receipt.")
    body, index, path = decode64(lines[1][6:]), decode_number(lines[2][6:]), [decode64(each, 32) for each in lines[3:]]
    top = parse_checkpoint(note)
    yield SIGNED
    open_checkpoint(top, case.keys)
    yield from witnessed(case, top) if case.witnesses else ()
    yield "条目的字节经路径可算出已签署的根。|The entry's bytes lead along the path to the signed root."
    holds = is_included(index, top.size, sha256(b"\x00" + body).digest(), path, top.root)
    hold(holds, "条目、序号、路径与根不相符。|The entry, its index, the path and the root do not fit together.")
    yield "字节内容是账本条目或往来记录。|The bytes are an entry of the ledger, or a record of the belt."
    case.proven.update(read_entry(body, is_record="/belt/" in top.origin), index=index, log=top.origin)

def consistency(case: Case) -> Iterator[str]:
    """Judge whether a log only grew between two checkpoints."""
    yield "文件是格式完整的一致性证明。|The file is a well-formed proof of consistency."
    head, *parts = decode_text(case.data).split("\n\n")
    header, *lines = head.split("\n")
    hold(header == CONSISTENCY and len(parts) > 1, "前几行不是一致性证明的格式。|The first lines are not those of one.")
    path = [decode64(each, 32) for each in lines]
    old, new = parse_checkpoint("\n\n".join(parts[:2]) + "\n"), parse_checkpoint("\n\n".join(parts[2:]))
    yield "较早的检查点由给出的公钥签署。|The earlier checkpoint is signed by a key given."
    open_checkpoint(old, case.keys)
    yield "较晚的检查点由给出的公钥签署。|The later checkpoint is signed by a key given."
    open_checkpoint(new, case.keys)
    yield from witnessed(case, new) if case.witnesses else ()
    yield "较早的日志是较晚日志的前缀。|The earlier log is a prefix of the later one."
    hold(old.origin == new.origin, "这是两个不同的日志。|These are two logs.")
    hold(is_prefix(old.size, new.size, path, old.root, new.root), "路径与两个根不相符。|The path does not lead to both roots.")
    case.proven.update(log=new.origin, old_size=old.size, new_size=new.size)

def checkpoint(case: Case) -> Iterator[str]:
    """Judge whether a bare checkpoint is signed."""
    yield "文件是格式完整的检查点。|The file is a well-formed checkpoint."
    top = parse_checkpoint(decode_text(case.data))
    yield SIGNED
    open_checkpoint(top, case.keys)
    yield from witnessed(case, top) if case.witnesses else ()
    case.proven.update(log=top.origin, size=top.size, root=base64.b64encode(top.root).decode())

def witnessed(case: Case, top: Checkpoint) -> Iterator[str]:
    """Hear each witness; one whose cosignature is wrong fails the step, however many others hold."""
    yield f"给出的见证方至少有 {case.quorum} 个联署。|At least {case.quorum} of the witnesses given cosigned."
    found = signers(top.note, case.witnesses)
    for witness in case.witnesses:
        at = max(found.get(witness, []), default=None)
        holds = None if at is None else -1 not in found[witness]
        case.heard.append({"name": witness.name, "holds": holds, "at": at})
    verdicts = [one["holds"] for one in case.heard]
    hold(False not in verdicts, "有联署与检查点不符。|A cosignature is wrong.")
    hold(verdicts.count(True) >= case.quorum, "联署的见证方不足。|Too few cosigned.")

def read_entry(body: bytes, *, is_record: bool) -> Dict[str, Any]:
    """Read what is proven: an entry of the ledger, or a record of a log beneath it, which has a form of its own."""
    no, moment = "字节内容无法读作条目。|The bytes cannot be read as an entry.", r"[12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d"
    try:
        seen = json.loads(body.decode("utf-8"), parse_constant=int)  # NaN is no JSON: `int` refuses it
        hold(isinstance(seen, dict), no)
        if not is_record:
            hold({"personal", *seen} == set(NAMES) - {"index", "log"}, no)
            hold(all(isinstance(seen[name], dict if name == "data" else str) for name in seen), no)
            hold(re.match(moment + r"(\.\d{6})?[+-]([01]\d|2[0-3]):[0-5]\d\Z", seen["at"], re.ASCII), no)
            datetime.fromisoformat(seen["at"])
        json.dumps(seen)
    except (ValueError, KeyError, RecursionError):
        raise CheckError(no) from None
    return dict(seen)

QUESTIONS = {  # how a file is told from others, the steps, and both verdicts
    "receipt": (RECEIPT, "\nindex ", receipt,
        "已载入：该条目在此日志中，自存证以来未被改动。|included: the entry is in this log, unchanged since it was remembered.",
        "未载入：此回执不能证明任何内容，请勿采信。|not included: this receipt proves nothing. Do not rely on it."),
    "consistency": (CONSISTENCY, "\n— ", consistency,
        "只增未改：其间没有改动或删除。|only grew: between the checkpoints nothing was changed or taken out.",
        "未证实：请勿采信。|not shown to have only grown. Do not rely on it."),
    "checkpoint": ("—", "\n— ", checkpoint,
        "已签署：由给出的公钥签署；不证明任何条目。|signed by a key given. It proves no entry.",
        "未签署：请勿采信此检查点。|not signed. Do not rely on this checkpoint."),
}

def judge(data: bytes, keys: Sequence[Key], asked: str, witnesses: Sequence[Key] = (), quorum: int = 0) -> Dict[str, Any]:
    """Take the steps in order, and say what they came to."""
    starts, mark, take, yes, no = QUESTIONS[asked]
    zh, en = f"这不是 {asked}；回执第一行为 {RECEIPT}，其他问题用 --as。", f"No {asked}: a receipt starts with {RECEIPT}; see --as."
    hold(data.startswith(starts.encode()) or mark.encode() in data, f"{zh}|{en}")
    case, steps, holds = Case(data, keys, witnesses, quorum, [], {}), list(), True
    try:
        for says in take(case):
            steps.append({"says": both(says), "holds": True})
    except CheckError as error:
        holds = False
        steps[-1].update(holds=False, why=both(str(error)))
    answer = {"holds": holds, "verdict": both(yes if holds else no), "steps": steps, "witnesses": case.heard}
    return {**answer, "proven": case.proven if holds else None}

# ---- command line ----------------------------------------------------------------------------------------------------
NAMES = {
    "actor": "何人|who", "at": "何时|when", "door": "途径|through", "kind": "何事|kind", "subject": "对象|subject",
    "data": "内容|data", "personal": "个人信息摘要|digest of personal data", "id": "编号|id", "index": "序号|index",
    "log": "日志|log",
}
LIMITS = (
    "这说明内容自存证以来未被改动；它不说明内容属实，也不代表任何批准。"
    "|It shows that the content is unchanged since it was remembered, not that it is true, and it is no approval.")

def both(said: str) -> Dict[str, str]:
    """Part what is said in both languages."""
    return dict(zip(("zh", "en"), said.split("|", 1)))

def clean(text: str) -> str:
    """Show what cannot be seen, so that no foreign text steers the terminal."""
    return "".join(c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in text)

def lines_of(found: Dict[str, Any], lang: str) -> Iterator[str]:
    """Write a judgment for people, in one language or (`""`) both."""
    def say(said: Dict[str, str]) -> str:
        return said.get(lang) or f"{said['zh']} {said['en']}"
    yield say(found["verdict"])
    for step in found["steps"]:
        yield f"  {'[ok]' if step['holds'] else '[NO]'} {say(step['says'])}"
        yield from () if step["holds"] else (f"       {say(step['why'])}",)
    for one in found["witnesses"]:
        at, voices = one["at"], {False: "不成立|does not hold", None: "未联署|has not signed"}
        voice = voices.get(one["holds"], f"成立，UNIX 时间 {at}|holds, UNIX time {at}")
        yield f"  {say(both('见证方|witness'))} {one['name']}: {say(both(voice))}"
    proven = found["proven"] or {}
    for name in sorted(proven, key=[*NAMES, *proven].index):
        text = proven[name] if isinstance(proven[name], str) else json.dumps(proven[name], ensure_ascii=False)
        yield f"  {say(both(NAMES[name])) if name in NAMES else name}: {text}"
    if proven:
        yield say(both(LIMITS))

def run(given: argparse.Namespace) -> Dict[str, Any]:
    """Read what was given and judge it."""
    keys, witnesses = read_keys(given.key, 1), list(dict.fromkeys(read_keys(given.witness, 4)))
    voices = {witness.public for witness in witnesses} - {key.public for key in keys}
    quorum = len(witnesses) if given.quorum is None else given.quorum
    is_fit = keys and len(voices) == len(witnesses) and (given.quorum is None or 0 < quorum <= len(voices))
    hold(is_fit, "缺少公钥，公钥重复，或 --quorum 与见证方数不符。|A key is missing or there twice, or --quorum does not fit.")
    try:
        with open(0 if given.receipt == "-" else given.receipt, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise CheckError(f"无法读取文件：{error}|The file cannot be read: {error}") from None
    hold(len(data) <= MAX_BYTES, "文件过大，不是回执。|The file is too large to be a receipt.")
    return judge(data, keys, getattr(given, "as"), witnesses, quorum)

def main(argv: Optional[Sequence[str]] = None) -> int:
    """Judge one file and say what it came to; returns the exit code."""
    parser = argparse.ArgumentParser(description="离线核验回执 / Checks a receipt offline.", epilog=LIMITS.replace("|", " "))
    parser.add_argument("receipt", help="回执文件，- 为标准输入 / a file, or - for standard input")
    parser.add_argument("--key", action="append", required=True, help="日志公钥或其文件 / the log's key, or a file")
    parser.add_argument("--witness", action="append", default=[], help="见证方公钥或其文件 / a witness's key, or a file")
    parser.add_argument("--quorum", type=int, help="须联署的见证方数，默认全部 / how many must have cosigned; all")
    parser.add_argument("--as", choices=list(QUESTIONS), default="receipt", help="核验什么 / what the file should be")
    parser.add_argument("--lang", choices=["zh", "en"], default="", help="默认双语 / both by default")
    parser.add_argument("--json", action="store_true", help="供程序读取 / for programs")
    for stream in (sys.stdout, sys.stderr):
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
    given = parser.parse_args(argv)
    try:
        found = run(given)
        lines = list(lines_of(found, given.lang))
    except CheckError as error:
        problem = both(str(error))
        found, lines = {"holds": None, "problem": problem}, [problem.get(given.lang) or " ".join(problem.values())]
    said = json.dumps(found) if given.json else "\n".join(map(clean, lines))
    (sys.stderr if found["holds"] is None else sys.stdout).write(f"{said}\n")
    return {True: 0, False: 1, None: 2}[found["holds"]]

if __name__ == "__main__":
    sys.exit(main())
