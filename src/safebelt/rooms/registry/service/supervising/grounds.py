"""Legal bases: found in the rulebook, or refused with what comes near; and how they are shown."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.supervision import Basis, Competence
from safebelt.rooms.rulebook.model import LawText, Norm, Provision
from safebelt.rooms.rulebook.model import Status as LawStatus
from safebelt.rooms.rulebook.model.words import Basis as Knowledge


def hold_known(ids: Collection[str], text: LawText) -> None:
    """Hold that the rulebook knows every basis.

    Raises:
        Invalid: It does not know one.
    """
    unknown = [one for one in ids if one not in text.norms and one not in text.provisions]
    if unknown:
        near = get_close_matches(unknown[0], [*text.norms, *text.provisions], n=3, cutoff=0.6)
        listed = "、".join(unknown)
        hint = Text(
            zh="请在规则库中查找编号；规则库没有的依据，请在“其他依据”中写明。",
            en="Look the id up in the rulebook; name a basis it does not hold under “another basis”.",
        )
        raise Invalid(
            what=Text(
                zh=f"规则库中没有这些依据：{listed}。", en=f"The rulebook knows no such basis: {', '.join(unknown)}."
            ),
            hint=Text(zh=f"是否指：{'、'.join(near)}？", en=f"Did you mean {', '.join(near)}?") if near else hint,
            details={"field": "basis"},
        )


def hold_instruments(ids: Collection[str], text: LawText) -> None:
    """Hold that the rulebook knows every instrument.

    Raises:
        Invalid: It does not know one.
    """
    unknown = [one for one in ids if one not in text.instruments]
    if unknown:
        raise Invalid(
            what=Text(
                zh=f"规则库中没有这些文件：{'、'.join(unknown)}。",
                en=f"The rulebook knows no such instrument: {', '.join(unknown)}.",
            ),
            hint=Text(zh="请在规则库首页查找编号。", en="Look the ids up on the rulebook's front page."),
            details={"field": "instruments"},
        )


def grounds(ids: Collection[str], text: LawText, competence: Competence) -> Mapping[str, Basis]:
    """Return every basis as it is shown, by id; one that has left the rulebook since is shown as not in it."""
    return {one: _ground(one, text, competence) for one in dict.fromkeys(ids)}


def _ground(one: str, text: LawText, competence: Competence) -> Basis:
    if one in text.norms:
        return _norm(text.norms[one], text, competence)
    if one in text.provisions:
        return _provision(text.provisions[one], text, competence)
    return Basis(id=one, label=Text(zh=one, en=one), in_rulebook=False)


def _norm(norm: Norm, text: LawText, competence: Competence) -> Basis:
    instrument = text.instruments[norm.instrument]
    return Basis(
        id=norm.id,
        label=_label(instrument.short, norm.title),
        summary=norm.says,
        path=f"rulebook/norms/{norm.id}",
        source=instrument.url,
        is_verified=norm.status is LawStatus.VERIFIED,
        is_within=norm.instrument in competence.instruments,
    )


def _provision(provision: Provision, text: LawText, competence: Competence) -> Basis:
    instrument = text.instruments[provision.instrument]
    place = provision.title or Text(zh=provision.eid, en=provision.eid)
    return Basis(
        id=provision.id,
        label=_label(instrument.short, place),
        summary=provision.summary,
        path=f"rulebook/provisions/{provision.instrument}/{provision.eid}",
        source=instrument.url,
        is_verified=provision.basis is Knowledge.PRIMARY,
        is_within=provision.instrument in competence.instruments,
    )


def _label(instrument: Text, place: Text) -> Text:
    return Text(zh=f"{instrument.zh}：{place.zh}", en=f"{instrument.en}: {place.en}")
