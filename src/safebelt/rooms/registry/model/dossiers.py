"""Words of handing a dossier out: its parts, what is chosen, and what a stranger is given to check."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from safebelt.kernel.events import Event
from safebelt.kernel.text import Text

FORM = "safebelt-dossier/1"
"""Form of the manifest; a reader that knows another number refuses, it does not guess."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierPart:
    """A part of a dossier that is handed out whole or left out whole.

    Attributes:
        is_personal: It holds personal data, and so is left out unless somebody asks for it.
        needs: The Cedar action that reads it, where reading the register is not enough.
    """

    id: str
    title: Text
    says: Text
    is_personal: bool = False
    needs: str = ""


DOSSIER_PARTS: Mapping[str, DossierPart] = {
    part.id: part
    for part in (
        DossierPart(
            id="system",
            title=Text(zh="系统", en="System"),
            says=Text(
                zh="登记的名称、用途、主体、阶段",
                en="registered name, purpose, parties and stage",
            ),
        ),
        DossierPart(
            id="parties",
            title=Text(zh="主体与标识", en="Parties and identifiers"),
            says=Text(
                zh="提供者与部署者及其代码，不含联系方式",
                en="provider and deployer with their codes, no contacts",
            ),
        ),
        DossierPart(
            id="facts",
            title=Text(zh="事实", en="Facts"),
            says=Text(
                zh="已记录的事实及其来源，含历次版本的摘要",
                en="facts on record with their sources, and digests of each version",
            ),
        ),
        DossierPart(
            id="duties",
            title=Text(zh="义务", en="Duties"),
            says=Text(
                zh="依据事实判断的分类与义务，附理由与出处",
                en="classes and duties judged from the facts, with reasons and citations",
            ),
        ),
        DossierPart(
            id="rights",
            title=Text(zh="权利与救济", en="Rights and remedies"),
            says=Text(
                zh="各方可行使的权利，附出处",
                en="what each party may claim, with citations",
            ),
        ),
        DossierPart(
            id="evidence",
            title=Text(zh="证据", en="Evidence"),
            says=Text(
                zh="每份证据由谁作证、何时到期",
                en="each piece, who vouches for it, and when it expires",
            ),
        ),
        DossierPart(
            id="gates",
            title=Text(zh="关口", en="Gates"),
            says=Text(
                zh="生命周期各关口的要求与通过记录",
                en="what each gate asks, and the passages so far",
            ),
        ),
        DossierPart(
            id="changes",
            title=Text(zh="变更", en="Changes"),
            says=Text(
                zh="变更引起的重做事项与期限",
                en="what changes re-opened, and by when",
            ),
        ),
        DossierPart(
            id="responsibility",
            title=Text(zh="职责", en="Responsibility"),
            says=Text(
                zh="每项义务由哪一职责的人承担，不含姓名",
                en="who answers for each duty, by role and without names",
            ),
        ),
        DossierPart(
            id="things",
            title=Text(zh="组成与版本", en="Parts and versions"),
            says=Text(
                zh="模型、智能体、组件、数据集、部署及其版本",
                en="models, agents, components, datasets, deployments and their versions",
            ),
        ),
        DossierPart(
            id="jobs",
            title=Text(zh="训练与上线作业", en="Training and promotion jobs"),
            says=Text(
                zh="申请、批准、报告与停止的记录",
                en="what was asked, granted, reported and stopped",
            ),
        ),
        DossierPart(
            id="cases",
            title=Text(zh="监督事项", en="Supervision"),
            says=Text(
                zh="已送达的监督步骤",
                en="steps of supervision that were served",
            ),
        ),
        DossierPart(
            id="publications",
            title=Text(zh="公开记录", en="Publications"),
            says=Text(
                zh="公众所见的内容及历次版本",
                en="what the public sees, and each version of it",
            ),
        ),
        DossierPart(
            id="acts",
            title=Text(zh="行为与存证", en="Acts, with proofs"),
            says=Text(
                zh="账本中的每一条，附可离线核对的证明",
                en="every ledger entry about the system, each with a proof that checks offline",
            ),
        ),
        DossierPart(
            id="people",
            title=Text(zh="人员姓名与联系方式", en="Names of people and their contacts"),
            says=Text(
                zh="记名人员；含个人信息，默认不交出",
                en="the named people; personal data, left out unless asked for",
            ),
            is_personal=True,
        ),
        DossierPart(
            id="notes",
            title=Text(zh="内部评论与任务", en="Internal comments and tasks"),
            says=Text(
                zh="内部协作内容，默认不交出",
                en="how people worked together; left out unless asked for",
            ),
            is_personal=True,
            needs="registry.collaborate",
        ),
    )
}
"""Every part, in the order a reader needs them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """Hand a dossier out.

    Attributes:
        recipient: To whom; kept apart and erasable, for it may be a person.
        basis: Why they may have it: the request, the provision.  It goes to the public log.
        parts: Which parts; empty for all that hold no personal data.
        because: Part id to why it is left out, where somebody says so.
    """

    recipient: str
    basis: str
    parts: tuple[str, ...] = ()
    because: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartMade:
    """A part as it would be handed out.

    Attributes:
        content: The bytes of its file: canonical JSON of its data and a salt, so that the digest of a part that is
            left out gives nothing away.
        records: How many things it holds.
    """

    part: DossierPart
    content: bytes
    sha256: str
    records: int
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package as it was read, before anything about it is believed.

    Attributes:
        manifest: The manifest's own bytes, which the receipt is about.
        says: The manifest, parsed.
        parts: Part id to the bytes of its file.
        proofs: Entry id to its proof.
        receipt: Proof that the hand-over is in the log; empty where there is none.
        strangers: Names of files that no package holds.
    """

    manifest: bytes
    says: Mapping[str, Any]
    parts: Mapping[str, bytes]
    proofs: Mapping[str, str]
    receipt: str
    strangers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierHandedOver(Event):
    """A dossier was handed out: which parts, which not, on what basis, and the digest of what was given."""

    kind: ClassVar[str] = "registry.dossier_handed_over.v1"
    title: ClassVar[Text] = Text(zh="交出了卷宗", en="Dossier handed over")
    apart: ClassVar[frozenset[str]] = frozenset({"basis"})
    manifest_sha256: str
    parts: tuple[str, ...]
    left_out: tuple[str, ...]
    basis: str


EVENTS: tuple[type[Event], ...] = (DossierHandedOver,)
