"""What a check of a file comes to: one answer a question, never more than the evidence gives.  Pure.

An answer is *ok* only where everything it rests on was seen.  What was not looked for, what nobody could answer and
what lies in another's hands is *unknown*; what is simply not in the file is *absent*.
"""

from collections.abc import Mapping

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.certificates.model import Axis as Asked
from safebelt.rooms.labelling.decide import likeness
from safebelt.rooms.labelling.decide.answering import found, time_of
from safebelt.rooms.labelling.decide.reading import label_axes
from safebelt.rooms.labelling.model.checks import Axis, AxisFound, Verdict
from safebelt.rooms.labelling.model.inspection import Inspection, Known
from safebelt.rooms.labelling.model.provenance import Manifest

_VERDICTS = {Truth.TRUE: Verdict.OK, Truth.FALSE: Verdict.BAD, Truth.UNKNOWN: Verdict.UNKNOWN}
_STOPPED = {
    "time": Text(zh="检验超时，已被中止。", en="The look into the file took too long and was stopped."),
    "memory": Text(
        zh="检验所需内存过多，已被中止。", en="The look into the file took too much memory and was stopped."
    ),
    "crash": Text(zh="检验进程异常结束。", en="The process that looked into the file ended unexpectedly."),
    "changed": Text(
        zh="检验期间文件被改动，请待其不再变化后重试。",
        en="Somebody wrote to the file while it was looked into; try again once it stays as it is.",
    ),
}
_REFUSED = ("signingCredential.invalid", "signingCredential.expired", "signingCredential.revoked")
_SOUNDS = ("wav", "flac", "mp3", "ogg", "opus", "m4a")
_SHOWN = ("jpg", "png", "webp", "gif", "tiff", "avif", "mp4", "mov", "mkv", "webm")
_OF_SIGNER = (Axis.CHAIN, Axis.REVOCATION, Axis.TIME, Axis.IDENTITY, Axis.CERTIFICATE)


def axes(
    seen: Inspection, known: Known, integrity: AxisFound, says: tuple[AxisFound, AxisFound] | None = None
) -> Mapping[Axis, AxisFound]:
    """Answer every question about a file.

    Args:
        seen: What was read in it.
        known: What this house knows of what it names.
        integrity: What the signature on the label came to.
        says: What `label_axes` says of its labels, where that is known already.
    """
    if seen.stopped:
        return {axis: found(Verdict.UNKNOWN, *_both(_STOPPED[seen.stopped])) for axis in Axis}
    aigc, conformance = says or label_axes(seen.labels)
    if seen.broken and not seen.labels:
        aigc = conformance = _broken(seen)
    return {
        Axis.EXPLICIT: _explicit(seen),
        Axis.AIGC: aigc,
        Axis.CONFORMANCE: conformance,
        Axis.INTEGRITY: integrity,
        **_provenance(seen, known),
        Axis.WATERMARK: _watermark(seen, known),
        Axis.FINGERPRINT: _fingerprint(seen, known),
        Axis.REGISTER: _register(known),
        Axis.LEDGER: _ledger(known),
    }


def _both(text: Text) -> tuple[str, str]:
    return text.zh, text.en


def _broken(seen: Inspection) -> AxisFound:
    return found(
        Verdict.UNKNOWN,
        f"文件不完整或已损坏，无法读取其元数据：{seen.broken}",
        f"The file is not whole, or damaged; its metadata cannot be read: {seen.broken}",
    )


def _explicit(seen: Inspection) -> AxisFound:
    if seen.notice is None:
        return found(
            Verdict.UNKNOWN,
            "没有看到本机构所画、所放的提示，或未曾查看；别的样子的提示和说出来的提示，程序不判断，请自行查看或收听。",
            "A notice as this house draws or sounds it was not found, or not looked for; one of another form, or "
            "spoken, is not judged by the program: look or listen for it.",
        )
    if seen.notice and seen.kind in _SOUNDS:
        return found(
            Verdict.OK, "声音开头有表示 AI 的节奏“短长 短短”。", "It begins with the rhythm that says AI in Morse code."
        )
    if seen.notice and seen.kind in _SHOWN:
        return found(
            Verdict.OK,
            "画面角落有本机构所画的提示“人工智能生成”或“AI generated”。",
            "It carries the notice that this house draws in a corner: AI generated, or the same in Chinese.",
        )
    if seen.notice:
        return found(Verdict.OK, "文本中有 AI 生成的提示。", "The text carries a notice that AI generated it.")
    return found(Verdict.ABSENT, "文本的开头和结尾没有提示。", "There is no notice at the text's beginning or end.")


def _provenance(seen: Inspection, known: Known) -> Mapping[Axis, AxisFound]:
    of_manifest = (Axis.C2PA, Axis.SIGNATURE, *_OF_SIGNER)
    manifest = seen.manifest
    if seen.manifest_broken:
        said = "存在 C2PA 清单，但无法读取", "There is a C2PA manifest, and it cannot be read"
        bad = found(Verdict.BAD, f"{said[0]}：{seen.manifest_broken}", f"{said[1]}: {seen.manifest_broken}")
        return {axis: bad if axis is Axis.C2PA else _open() for axis in of_manifest}
    if manifest is None and not seen.has_provenance:
        none = found(
            Verdict.UNKNOWN, "此处不读取该格式的 C2PA 清单。", "C2PA manifests of this format are not read here."
        )
        return dict.fromkeys(of_manifest, none)
    if manifest is None:
        return dict.fromkeys(of_manifest, found(Verdict.ABSENT, "没有 C2PA 清单。", "There is no C2PA manifest."))
    signed = _signature(manifest)
    of_signer = _signer(manifest, known) if signed.verdict is Verdict.OK else dict.fromkeys(_OF_SIGNER, _open())
    return {Axis.C2PA: _binding(manifest), Axis.SIGNATURE: signed, **of_signer}


def _open() -> AxisFound:
    return found(
        Verdict.UNKNOWN,
        "签名未成立，签名者是谁无从判断。",
        "The signature does not hold, so who signed is open.",
    )


def _codes(manifest: Manifest) -> str:
    return ", ".join(sorted(manifest.failure))[:300]


def _binding(manifest: Manifest) -> AxisFound:
    if manifest.is_bound:
        return found(
            Verdict.OK, "内容与签名时一致。", "The content is what was signed: its hash matches the manifest's."
        )
    codes = _codes(manifest) or "no hash over the content"
    return found(
        Verdict.BAD, f"内容与清单不符（{codes}）。", f"The content is not what the manifest was made for ({codes})."
    )


def _signature(manifest: Manifest) -> AxisFound:
    if manifest.is_signed:
        return found(
            Verdict.OK, "清单的签名成立。", "The manifest's signature is that of the certificate that came with it."
        )
    codes = _codes(manifest) or "no signature"
    return found(Verdict.BAD, f"清单的签名不成立（{codes}）。", f"The manifest's signature does not hold ({codes}).")


def _signer(manifest: Manifest, known: Known) -> Mapping[Axis, AxisFound]:
    if manifest.trusted_by == "home":
        return _of_house(manifest, known)
    chain = _foreign_chain(manifest)
    is_listed = chain.verdict is Verdict.OK
    who = manifest.subject[:200]
    return {
        Axis.CHAIN: chain,
        Axis.REVOCATION: found(
            Verdict.UNKNOWN,
            "未询问签发机构：检验不访问网络。",
            "The issuer was not asked: the check does not use the network.",
        ),
        Axis.TIME: time_of(manifest, is_valid=None, lasts=None),
        Axis.IDENTITY: found(
            Verdict.OK if is_listed else Verdict.UNKNOWN,
            f"证书称签名者为：{who}。" + ("" if is_listed else "无人为此作保。"),
            f"The certificate names: {who}." + ("" if is_listed else " Nobody known here vouches for that."),
        ),
        Axis.CERTIFICATE: found(
            Verdict.ABSENT, "不是本机构签发的证书。", "It is no certificate that this house issued."
        ),
    }


def _foreign_chain(manifest: Manifest) -> AxisFound:
    refused = [code for code in _REFUSED if code in manifest.failure]
    if refused:
        return found(Verdict.BAD, f"签名证书不可用（{refused[0]}）。", f"The certificate is not usable ({refused[0]}).")
    if manifest.trusted_by:
        return found(
            Verdict.OK,
            "证书链通向 C2PA 信任列表中的根。",
            "The chain leads to a root of the C2PA trust list that is kept here.",
        )
    return found(
        Verdict.UNKNOWN,
        f"证书由“{manifest.issuer[:200]}”签发，不在此处信任的机构之列。",
        f"The certificate was issued by {manifest.issuer[:200]}, which is not trusted here.",
    )


def _of_house(manifest: Manifest, known: Known) -> Mapping[Axis, AxisFound]:
    """Judge a certificate that leads to a root of this house: by what its authority says, or not at all."""
    if known.checked is None:
        unasked = found(
            Verdict.UNKNOWN,
            "证书称由本机构签发，但此刻无法查询本机构的记录，或其中没有这张证书。",
            "The certificate is said to be of this house, whose records cannot be asked now, or do not have it.",
        )
        return dict.fromkeys(_OF_SIGNER, unasked)
    asked = known.checked.axes
    return {
        Axis.CHAIN: _as_asked(asked[Asked.CHAIN], asked[Asked.PURPOSE]),
        Axis.REVOCATION: _as_asked(asked[Asked.REVOCATION]),
        Axis.TIME: time_of(manifest, is_valid=asked[Asked.VALIDITY], lasts=known.lasts, stamper=known.stamper),
        Axis.IDENTITY: _as_asked(asked[Asked.REGISTRATION]),
        Axis.CERTIFICATE: _as_asked(asked[Asked.LOG]),
    }


def _as_asked(first: Reason, *others: Reason) -> AxisFound:
    """Return the worst of what was asked of a certificate: bad before unknown before ok."""
    reasons = (first, *others)
    worst = min(reasons, key=lambda one: (Truth.FALSE, Truth.UNKNOWN, Truth.TRUE).index(one.holds))
    return AxisFound(verdict=_VERDICTS[worst.holds], reason=worst)


def _watermark(seen: Inspection, known: Known) -> AxisFound:
    if not seen.has_scan:
        why = seen.why_no_scan or Text(zh="格式未知。", en="The format is not known.")
        return found(Verdict.UNKNOWN, f"未查找水印：{why.zh}", f"No watermark was looked for. {why.en}")
    if seen.ident is None:
        return found(
            Verdict.ABSENT,
            "没有找到本机构的水印；他人的水印无法在此读取。",
            "No watermark of this house was found; those of others cannot be read here.",
        )
    if known.is_silent:
        return found(Verdict.UNKNOWN, *_both(_SILENT))
    if known.watermarked is None:
        return found(
            Verdict.UNKNOWN,
            f"找到本机构密钥的水印（编号 {seen.ident:016x}），但没有与之对应的记录。",
            f"A watermark of this house's key was found (id {seen.ident:016x}), and nothing is remembered about it.",
        )
    one = known.watermarked
    return found(
        Verdict.OK,
        f"内容中的水印指向本机构于 {one.at:%Y-%m-%d} 所加的标识 {one.id}。它说明它源自那份内容，不说明此后未被改动。",
        f"The watermark in it leads to the mark {one.id} of {one.at:%Y-%m-%d}. It says that this comes "
        "from that content, not that it was not changed since.",
    )


_NOT_SCANNED = Text(
    zh="按要求未查看内容本身。", en="The content itself was not looked at, as was asked: only what is said of it."
)


def _fingerprint(seen: Inspection, known: Known) -> AxisFound:
    if not seen.is_scanned:
        return found(Verdict.UNKNOWN, *_both(_NOT_SCANNED))
    if seen.fingerprint is None:
        return found(
            Verdict.UNKNOWN,
            "未比对指纹：此处只为图片和足够长的文本取指纹。",
            "No fingerprint was compared: only pictures, and texts that say enough, have one here.",
        )
    if known.is_silent:
        return found(Verdict.UNKNOWN, *_both(_SILENT))
    of, one = seen.fingerprint.of, known.alike
    if one is None and known.is_crowded:
        return found(
            Verdict.UNKNOWN,
            "相近的指纹过多，未能全部比对。",
            "Too many fingerprints come near it; not all of them were compared.",
        )
    if one is None:
        return found(
            Verdict.ABSENT,
            "没有与本机构标识过的内容相像之处；这不说明它由谁制作。",
            "It looks like nothing that this house marked; that does not say who made it.",
        )
    odds = round(1 / likeness.chance(of))
    return found(
        Verdict.OK,
        f"它与本机构于 {one.at:%Y-%m-%d} 标识过的一份内容（{one.mark_id}）相像，64 位指纹中有 {one.bits} 位不同。"
        "这不说明它由谁制作，也不说明它就是那份内容：同一对象的图片、同一主题的文字可能相像；"
        f"毫不相干的两份内容偶然相像的机会约为 {odds:,} 分之一。",
        f"It looks like a content this house marked on {one.at:%Y-%m-%d} ({one.mark_id}); {one.bits} of 64 bits of "
        "their fingerprints differ. That says neither who made it nor that it is that content: pictures of one thing "
        "and texts on one subject may look alike; of two that have nothing in common, about one pair in "
        f"{odds:,} does by chance.",
    )


_SILENT = Text(
    zh="此刻无法查询本机构的记录，请稍后再试。",
    en="The records of this house cannot be asked at this moment; try again later.",
)


def _register(known: Known) -> AxisFound:
    if known.is_silent:
        return found(Verdict.UNKNOWN, *_both(_SILENT))
    if known.register_url and known.system_name is not None:
        name = known.system_name
        return found(
            Verdict.OK,
            f"公开登记：{name.zh}，由 {known.party} 负责。",
            f"In the public register: {name.en}; {known.party} answers for it.",
        )
    if known.checked is not None and known.checked.system_id:
        return found(
            Verdict.UNKNOWN,
            "证书指明的系统不在公开登记册中。",
            "The system that the certificate names is not in the public register.",
        )
    return found(Verdict.ABSENT, "文件没有指明登记条目。", "The file names no register entry.")


def _ledger(known: Known) -> AxisFound:
    if known.is_silent:
        return found(Verdict.UNKNOWN, *_both(_SILENT))
    if known.marked_at:
        return found(
            Verdict.OK,
            f"本机构于 {known.marked_at[:19]} 标识了这个文件，账本中有记录（{known.entry}）。",
            f"This house marked this very file at {known.marked_at[:19]}, and its ledger says so ({known.entry}).",
        )
    return found(
        Verdict.ABSENT,
        "本机构的账本没有关于这个文件的记录。",
        "The ledger of this house has no entry about this very file.",
    )
