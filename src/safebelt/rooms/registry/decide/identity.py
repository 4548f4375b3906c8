"""Judgments of identity: whether an identifier is well-formed, and whether a party may bear or change it.

A right check digit says that nobody slipped while copying.  It does not say that the number was ever given out.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.registry.decide.entering import LINE_LIMIT, TEXT_LIMIT, address, invalid, line
from safebelt.rooms.registry.model import PARTY_KINDS, PARTY_ROLES, Party, PartyKind, PartyRole
from safebelt.rooms.registry.model.identity import (
    SCHEMES,
    ChangeParty,
    Identifier,
    IdentifierRemoved,
    Identify,
    PartyChanged,
    PartyIdentified,
    Scheme,
    Verified,
)

USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100-2015, table 1: digits and capitals without I, O, S, V, Z."""
_USCC_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
"""GB 32100-2015, annex A: 3^(i-1) mod 31."""
VALUE_LIMIT = 100

_VAT = re.compile(
    r"ATU\d{8}|BE[01]\d{9}|BG\d{9,10}|CY\d{8}[A-Z]|CZ\d{8,10}|DE\d{9}|DK\d{8}|EE\d{9}|EL\d{9}|ES[A-Z0-9]\d{7}[A-Z0-9]"
    r"|FI\d{8}|FR[A-HJ-NP-Z0-9]{2}\d{9}|HR\d{11}|HU\d{8}|IE\d[A-Z0-9+*]\d{5}[A-Z]{1,2}|IT\d{11}|LT(?:\d{9}|\d{12})"
    r"|LU\d{8}|LV\d{11}|MT\d{8}|NL[A-Z0-9]{9}B\d{2}|PL\d{10}|PT\d{9}|RO\d{2,10}|SE\d{12}|SI\d{8}|SK\d{10}|XI\d{9}",
    re.ASCII,
)
"""The forms VIES lists for each member state, and XI for Northern Ireland (European Commission, VIES FAQ, no. 11)."""
_EORI = re.compile(r"[A-Z]{2}[A-Z0-9]{1,15}")
"""Commission Delegated Regulation (EU) 2015/2446, annex B: country code, then at most 15 characters."""
_GB_COMPANY = re.compile(
    r"[0-9]{8}|R0[0-9]{6}|(?:AC|CE|CS|ES|FC|FE|GC|GE|GI|GN|GS|IC|IP|LP|NA|NC|NF|NI|NL|NO|NP|NR|NZ|OC|OE|PC|RC|RO|RS"
    r"|SA|SC|SE|SF|SG|SI|SL|SO|SP|SR|SZ|ZC)[0-9]{6}"
)
"""Companies House, URI customer guide: eight digits, or a prefix and six."""
_DUNS = re.compile(r"[0-9]{9}")
_BLANKS = re.compile(r"[\s.\-‐‑–]")


def plain(scheme: Scheme, value: str) -> str:
    """Return an identifier in the form it is compared in: capitals, without spaces, dots and hyphens.

    Of an *other* scheme we know nothing, and leave it as it is.
    """
    if scheme is Scheme.OTHER:
        return value.strip()
    return _BLANKS.sub("", value).upper()


def uscc_check(body: str) -> str:
    """Return the check character of 17 characters of a unified social credit code (GB 32100-2015, annex A).

    Example:
        >>> uscc_check("91440300192203821")
        '6'
    """
    total = sum(USCC_ALPHABET.index(char) * weight for char, weight in zip(body, _USCC_WEIGHTS, strict=True))
    return USCC_ALPHABET[-total % 31]


def lei_check(body: str) -> str:
    """Return the two check digits of 18 characters of an LEI (ISO 17442-1; ISO/IEC 7064, MOD 97-10).

    Example:
        >>> lei_check("HWUPKR0MPOU8FGXBT3")
        '94'
    """
    return f"{98 - _as_number(body + '00') % 97:02d}"


def _as_number(text: str) -> int:
    return int("".join(str(int(char, 36)) for char in text))


def _uscc(value: str) -> tuple[Reason, ...]:
    shape = (
        _has_length(value, 18),
        _has_alphabet(
            value,
            USCC_ALPHABET,
            Text(zh="数字及除 I、O、S、V、Z 外的大写字母", en="digits, and capitals other than I, O, S, V, Z"),
        ),
    )
    return _then_checked(shape, value, 17, uscc_check, "GB 32100-2015")


def _lei(value: str) -> tuple[Reason, ...]:
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    shape = (_has_length(value, 20), _has_alphabet(value, letters, Text(zh="数字与大写字母", en="digits and capitals")))
    return _then_checked(shape, value, 18, lei_check, "ISO 17442-1")


def _then_checked(
    shape: tuple[Reason, ...], value: str, body: int, check: Callable[[str], str], cites: str
) -> tuple[Reason, ...]:
    """Ask for the check character only of what has the right shape: of anything else it would say nothing."""
    if any(part.holds is not Truth.TRUE for part in shape):
        return shape
    expected, found = check(value[:body]), value[body:]
    says = Text(
        zh=f"校验位应为 {expected}，所填为 {found}", en=f"The check character should be {expected}; it is {found}"
    )
    return (*shape, Reason(says=says, holds=Truth.of(expected == found), cites=(cites,)))


def _has_length(value: str, wanted: int) -> Reason:
    says = Text(
        zh=f"应为 {wanted} 位，所填为 {len(value)} 位", en=f"It should have {wanted} characters; it has {len(value)}"
    )
    return Reason(says=says, holds=Truth.of(len(value) == wanted))


def _has_alphabet(value: str, alphabet: str, allowed: Text) -> Reason:
    strange = sorted({char for char in value if char not in alphabet})
    shown = " ".join(strange[:5])
    zh = f"只含{allowed.zh}" + (f"；不允许：{shown}" if strange else "")
    en = f"It holds only {allowed.en}" + (f"; not allowed: {shown}" if strange else "")
    return Reason(says=Text(zh=zh, en=en), holds=Truth.of(not strange))


def _matches(form: re.Pattern[str], says: Text) -> Callable[[str], tuple[Reason, ...]]:
    def judged(value: str) -> tuple[Reason, ...]:
        return (Reason(says=says, holds=Truth.of(form.fullmatch(value) is not None)),)

    return judged


def _unknown(value: str) -> tuple[Reason, ...]:
    says = Text(zh="我们不了解该编号体系的格式", en="We do not know what form this system's numbers have")
    return (Reason(says=says, holds=Truth.UNKNOWN),)


_CHECKS: Mapping[Scheme, Callable[[str], tuple[Reason, ...]]] = {
    Scheme.USCC: _uscc,
    Scheme.LEI: _lei,
    Scheme.VAT: _matches(
        _VAT,
        Text(
            zh="为两位国家代码加该国的位数与字符（校验位未核对）",
            en="It is a country code and what that country writes after it (check digits are not recounted)",
        ),
    ),
    Scheme.EORI: _matches(
        _EORI, Text(zh="为两位国家代码加 1 至 15 位字符", en="It is a country code and 1 to 15 characters")
    ),
    Scheme.GB_COMPANY: _matches(
        _GB_COMPANY,
        Text(zh="为 8 位数字，或已知前缀加 6 位数字", en="It has eight digits, or a known prefix and six digits"),
    ),
    Scheme.DUNS: _matches(_DUNS, Text(zh="为 9 位数字", en="It has nine digits")),
    Scheme.OTHER: _unknown,
}


def well_formed(scheme: Scheme, value: str) -> tuple[str, Reason]:
    """Judge whether an identifier is well-formed.

    Args:
        scheme: In which system.
        value: As it was typed.

    Returns:
        The identifier in its plain form, and the reason: true, false, or unknown where we do not know the form.
    """
    found = plain(scheme, value)
    because = _CHECKS[scheme](found) if found else (_has_length(found, 1),)
    holds = next((t for t in (Truth.FALSE, Truth.UNKNOWN) if any(part.holds is t for part in because)), Truth.TRUE)
    says = Text(
        zh=f"{SCHEMES[scheme].zh} {found[:VALUE_LIMIT]} 格式正确（不等于经过核实）",
        en=f"{SCHEMES[scheme].en} {found[:VALUE_LIMIT]} is well-formed (which does not mean verified)",
    )
    return found, Reason(says=says, holds=holds, because=because)


def identify(
    party: Party, cmd: Identify, *, held: tuple[Identifier, ...], new_id: str, at: datetime, by: str
) -> tuple[Identifier, PartyIdentified, Reason]:
    """Enter an identifier of a party.

    Args:
        party: Whose.
        cmd: Which.
        held: What the party bears already.
        new_id: Id of the identifier.
        at: When it is entered.
        by: Pseudonymous id of who enters it.

    Raises:
        Invalid: It is missing or not well-formed, or the other system is not named.
        Conflict: The party bears one of this scheme already.
    """
    named = line(cmd.named, "named", Text(zh="编号体系名称", en="Name of the system"), limit=VALUE_LIMIT)
    if cmd.scheme is not Scheme.OTHER:
        named = ""
    elif not named:
        raise invalid("named", Text(zh="请写明是哪一种编号。", en="Say which system of identifiers it is."))
    typed = line(cmd.value, "value", Text(zh="编号", en="Identifier"), limit=VALUE_LIMIT, is_required=True)
    value, reason = well_formed(cmd.scheme, typed)
    if reason.holds is Truth.FALSE:
        raise _malformed(cmd.scheme, reason)
    _hold_one_of_a_kind(cmd.scheme, named, held)
    source = address(cmd.source, "source", Text(zh="官方登记页面", en="Page of the official register"))
    verified = _verified(source, reason)
    identifier = Identifier(
        id=new_id,
        party_id=party.id,
        scheme=cmd.scheme,
        named=named,
        value=value,
        verified=verified,
        source=source,
        at=at,
        by=by,
    )
    is_person = party.kind is PartyKind.PERSON
    event = PartyIdentified(
        subject=party.id,
        personal={"value": value} if is_person else {},
        identifier_id=new_id,
        scheme=cmd.scheme.value,
        named=named,
        value="" if is_person else value,
        verified=verified.value,
    )
    return identifier, event, reason


def _verified(source: str, reason: Reason) -> Verified:
    if source:
        return Verified.LOOKED_UP
    return Verified.WELL_FORMED if reason.holds is Truth.TRUE else Verified.STATED


def _hold_one_of_a_kind(scheme: Scheme, named: str, held: tuple[Identifier, ...]) -> None:
    same = next((one for one in held if (one.scheme, one.named) == (scheme, named)), None)
    if same is not None and scheme not in {Scheme.VAT, Scheme.EORI}:
        raise Conflict(
            what=Text(
                zh=f"该主体已登记{SCHEMES[scheme].zh}：{same.value}。",
                en=f"This party already has one: {SCHEMES[scheme].en} {same.value}.",
            ),
            hint=Text(zh="如有变更，请先移除原编号。", en="If it changed, remove the old one first."),
            details={"field": "scheme"},
        )


def hold_unshared(holder: Identifier | None, name: str) -> None:
    """Hold that no other party bears the identifier.

    Args:
        holder: What is in the register already.
        name: Name of the party that bears it.

    Raises:
        Conflict: Another party does; it is named.
    """
    if holder is not None:
        raise Conflict(
            what=Text(
                zh=f"该编号已属于主体“{name}”（{holder.party_id}）。",
                en=f"This identifier belongs to the party “{name}” ({holder.party_id}).",
            ),
            hint=Text(
                zh="一个编号只属于一个主体：请核对编号，或使用已登记的主体。",
                en="One identifier belongs to one party: check it, or use the party that is registered.",
            ),
            details={"field": "value", "party_id": holder.party_id},
        )


def remove(party: Party, identifier_id: str, held: tuple[Identifier, ...], reason: str) -> IdentifierRemoved | None:
    """Remove an identifier; None where the party bears none of this id.

    Raises:
        Invalid: No reason is given.
    """
    why = line(reason, "reason", Text(zh="理由", en="Reason"), limit=TEXT_LIMIT, is_required=True)
    found = next((one for one in held if one.id == identifier_id), None)
    if found is None:
        return None
    return IdentifierRemoved(subject=party.id, identifier_id=found.id, scheme=found.scheme.value, reason=why)


def _malformed(scheme: Scheme, reason: Reason) -> Invalid:
    wrong = [part.says for part in reason.because if part.holds is Truth.FALSE]
    return invalid(
        "value",
        Text(
            zh=f"{SCHEMES[scheme].zh}有误：{'；'.join(each.zh for each in wrong)}。",
            en=f"{SCHEMES[scheme].en} is not right: {'; '.join(each.en for each in wrong)}.",
        ),
        Text(zh="请对照证照原件核对。", en="Compare it with the certificate it was copied from."),
    )


# --- the party itself --------------------------------------------------------------------------------------------


def seal(party: Party) -> str:
    """Return a mark that changes whenever what the register says of a party does."""
    parts = (party.id, party.name, party.kind.value, " ".join(party.roles), party.contact)
    return sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def change_party(party: Party, cmd: ChangeParty) -> tuple[Party, PartyChanged]:
    """Change what the register says of a party.

    Raises:
        Conflict: It was changed since it was read, or nothing would change.
        Invalid: A text is missing or too long.
    """
    if cmd.seal != seal(party):
        raise Conflict(
            what=Text(zh="该主体在您查看之后已被修改。", en="The party was changed since you read it."),
            hint=Text(zh="请重新载入，核对后再改。", en="Load it again, look at what changed, and repeat the change."),
            details={"seal": seal(party)},
        )
    why = line(cmd.reason, "reason", Text(zh="变更理由", en="Reason"), limit=TEXT_LIMIT, is_required=True)
    changed = replace(
        party,
        name=_kept(cmd.name, party.name, "name", Text(zh="名称", en="Name"), is_required=True),
        contact=_kept(cmd.contact, party.contact, "contact", Text(zh="联系方式", en="Contact")),
        kind=cmd.kind or party.kind,
        roles=party.roles if cmd.roles is None else tuple(role for role in PartyRole if role in cmd.roles),
    )
    if changed == party:
        raise Conflict(
            what=Text(zh="没有任何改动。", en="Nothing would change."),
            hint=Text(zh="请先修改内容再保存。", en="Change something before saving."),
        )
    return changed, _party_changed(party, changed, why)


def _party_changed(before: Party, after: Party, reason: str) -> PartyChanged:
    """A name that was or becomes a person's stays out of what is proven, and so does every contact."""
    is_person = PartyKind.PERSON in (before.kind, after.kind)
    public: dict[str, tuple[str, str]] = {}
    personal: dict[str, str] = {}
    for name, (old, new) in {key: (_flat(before)[key], _flat(after)[key]) for key in _flat(before)}.items():
        if old == new:
            continue
        if name == "contact" or (name == "name" and is_person):
            personal |= {f"{name}_before": old, f"{name}_after": new}
            public[name] = ("", "")
        else:
            public[name] = (old, new)
    return PartyChanged(subject=before.id, personal=personal, changes=public, reason=reason)


def _flat(party: Party) -> dict[str, str]:
    roles = "、".join(PARTY_ROLES[role].zh for role in party.roles), ", ".join(PARTY_ROLES[r].en for r in party.roles)
    kind = PARTY_KINDS[party.kind]
    return {
        "name": party.name,
        "kind": f"{kind.zh} {kind.en}",
        "roles": " / ".join(part for part in roles if part),
        "contact": party.contact,
    }


def _kept(new: str | None, old: str, field: str, label: Text, *, is_required: bool = False) -> str:
    return old if new is None else line(new, field, label, limit=LINE_LIMIT, is_required=is_required)
