"""Numbers by which the world knows a party: well-formed is recounted, shared by nobody, never taken for verified."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.registry.decide.identity import (
    USCC_ALPHABET,
    lei_check,
    uscc_check,
    well_formed,
)
from safebelt.rooms.registry.model import PartyKind, PartyRole, RegisterParty, RegisterSystem
from safebelt.rooms.registry.model.identity import ChangeParty, Identify, Scheme, Verified
from safebelt.rooms.registry.service import Registry

REAL = {
    Scheme.USCC: ("914403001922038216", "9144030071526726XG", "91110000802100433B"),  # as these companies publish them
    Scheme.LEI: ("HWUPKR0MPOU8FGXBT394", "INR2EJN1ERAN0W5ZP974", "506700GE1G29325QX363"),  # as GLEIF publishes them
}
few = settings(max_examples=12, deadline=None, derandomize=True, database=None)
uscc_bodies = st.text(USCC_ALPHABET, min_size=17, max_size=17)
DIGITS, LETTERS = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
lei_bodies = st.text(DIGITS + LETTERS, min_size=18, max_size=18)


def holds(scheme: Scheme, value: str) -> Truth:
    return well_formed(scheme, value)[1].holds


@pytest.mark.parametrize(("scheme", "value"), [(scheme, value) for scheme, values in REAL.items() for value in values])
def test_identifiers_that_real_companies_publish_are_well_formed(scheme: Scheme, value: str) -> None:
    assert holds(scheme, value) is Truth.TRUE
    assert holds(scheme, f" {value[:4]}-{value[4:]} ".lower()) is Truth.TRUE


@few
@given(uscc_bodies)
def test_a_credit_code_with_any_one_character_changed_or_any_two_neighbours_swapped_is_caught(body: str) -> None:
    code = body + uscc_check(body)

    assert holds(Scheme.USCC, code) is Truth.TRUE
    changed = (code[:i] + other + code[i + 1 :] for i in range(18) for other in USCC_ALPHABET if other != code[i])
    swapped = (code[:i] + code[i + 1] + code[i] + code[i + 2 :] for i in range(17) if code[i] != code[i + 1])
    assert {holds(Scheme.USCC, wrong) for wrong in (*changed, *swapped)} == {Truth.FALSE}


@few
@given(lei_bodies)
def test_an_lei_with_a_character_changed_or_neighbours_swapped_within_letters_or_digits_is_caught(body: str) -> None:
    code = body + lei_check(body)
    like = [DIGITS if char in DIGITS else LETTERS for char in code]

    assert holds(Scheme.LEI, code) is Truth.TRUE
    changed = (code[:i] + other + code[i + 1 :] for i in range(20) for other in like[i] if other != code[i])
    swapped = (
        code[:i] + code[i + 1] + code[i] + code[i + 2 :]
        for i in range(19)
        if like[i] == like[i + 1] and code[i] != code[i + 1]
    )
    # MOD 97-10 promises no more: letters count as two digits, so that "1B" and "B1" weigh the same in some places.
    assert Truth.TRUE not in {holds(Scheme.LEI, wrong) for wrong in (*changed, *swapped)}


def test_the_reason_says_which_check_character_was_expected() -> None:
    _value, reason = well_formed(Scheme.USCC, "914403001922038217")

    assert reason.because[-1].says.zh == "校验位应为 6，所填为 7"
    assert reason.because[-1].cites == ("GB 32100-2015",)


@pytest.mark.parametrize(
    ("scheme", "value", "expected"),
    [
        (Scheme.USCC, "91440300192203821", Truth.FALSE),  # 17 characters
        (Scheme.USCC, "9144030019220382I6", Truth.FALSE),  # I is not in the alphabet
        (Scheme.USCC, "９１４４０３００１９２２０３８２１６", Truth.FALSE),  # full-width digits are other characters
        (Scheme.VAT, "DE123456789", Truth.TRUE),
        (Scheme.VAT, "DE12345678", Truth.FALSE),
        (Scheme.VAT, "US123456789", Truth.FALSE),
        (Scheme.EORI, "NL123456789", Truth.TRUE),
        (Scheme.EORI, "N1", Truth.FALSE),
        (Scheme.GB_COMPANY, "SC123456", Truth.TRUE),
        (Scheme.GB_COMPANY, "00445790", Truth.TRUE),
        (Scheme.GB_COMPANY, "QQ123456", Truth.FALSE),
        (Scheme.DUNS, "15-048-3782", Truth.TRUE),
        (Scheme.DUNS, "١٢٣٤٥٦٧٨٩", Truth.FALSE),
        (Scheme.OTHER, "anything", Truth.UNKNOWN),
    ],
)
def test_each_scheme_knows_its_form(scheme: Scheme, value: str, expected: Truth) -> None:
    assert holds(scheme, value) is expected


@few
@given(st.sampled_from(Scheme), st.text(max_size=120))
def test_whatever_is_typed_is_judged_and_never_breaks_the_check(scheme: Scheme, value: str) -> None:
    plain, reason = well_formed(scheme, value)

    assert reason.holds in set(Truth) and isinstance(plain, str)


def test_a_right_check_digit_says_well_formed_and_only_a_source_says_looked_up(registry: Registry) -> None:
    one = registry.register_party(RegisterParty(name="明理科技有限公司"), by=OWNER)

    code = registry.identify(one.id, Identify(scheme=Scheme.USCC, value="9144 0300 1922 0382 16"), by=OWNER)
    lei = registry.identify(
        one.id,
        Identify(scheme=Scheme.LEI, value="HWUPKR0MPOU8FGXBT394", source="https://search.gleif.org/"),
        by=OWNER,
    )
    other = registry.identify(one.id, Identify(scheme=Scheme.OTHER, named="海关编码", value="4403160XYZ"), by=OWNER)

    assert [each.verified for each in (code, lei, other)] == [
        Verified.WELL_FORMED, Verified.LOOKED_UP, Verified.STATED,
    ]  # fmt: skip
    assert registry.party_view(one.id).identifiers == (code, lei, other)
    assert registry.party_with(Scheme.USCC, "914403001922038216") == one


def test_no_two_parties_share_an_identifier_and_the_other_is_named(registry: Registry, ledger: Ledger) -> None:
    first = registry.register_party(RegisterParty(name="明理科技有限公司"), by=OWNER)
    second = registry.register_party(RegisterParty(name="另一家公司"), by=OWNER)
    code = Identify(scheme=Scheme.USCC, value="914403001922038216")
    entered = registry.identify(first.id, code, by=OWNER)

    with pytest.raises(Conflict) as error:
        registry.identify(second.id, code, by=OWNER)
    assert "明理科技有限公司" in error.value.what.zh and error.value.details["party_id"] == first.id
    with pytest.raises(Conflict):
        registry.identify(first.id, Identify(scheme=Scheme.USCC, value="9144030071526726XG"), by=OWNER)
    with pytest.raises(Invalid):
        registry.identify(second.id, Identify(scheme=Scheme.LEI, value="HWUPKR0MPOU8FGXBT395"), by=OWNER)
    with pytest.raises(NotFound):
        registry.remove_identifier(second.id, entered.id, "不属于它", by=OWNER)

    registry.remove_identifier(first.id, entered.id, "登记错误", by=OWNER)
    registry.identify(second.id, code, by=OWNER)
    assert [e.kind for e in ledger.entries(subject=second.id)] == [
        "registry.party_identified.v1", "registry.party_registered.v1",
    ]  # fmt: skip


def test_a_party_is_changed_on_what_was_read_and_a_persons_name_and_number_stay_out_of_the_proof(
    registry: Registry, ledger: Ledger
) -> None:
    person = registry.register_party(RegisterParty(name="赵六", kind=PartyKind.PERSON), by=OWNER)
    registry.identify(person.id, Identify(scheme=Scheme.USCC, value="9144030071526726XG"), by=OWNER)
    seal = registry.party_view(person.id).seal

    view = registry.change_party(
        person.id, ChangeParty(seal=seal, reason="更名", name="赵七", roles=(PartyRole.ASSESSOR,)), by=OWNER
    )
    with pytest.raises(Conflict):
        registry.change_party(person.id, ChangeParty(seal=seal, reason="再改", name="赵八"), by=OWNER)
    with pytest.raises(Conflict):
        registry.change_party(person.id, ChangeParty(seal=view.seal, reason="不变"), by=OWNER)

    assert registry.party(person.id).name == "赵七" and view.party.roles == (PartyRole.ASSESSOR,)
    bodies = b"".join(entry.body for entry in ledger.entries(limit=100))
    assert "赵".encode() not in bodies and b"9144030071526726XG" not in bodies
    assert b'"roles"' in bodies and "更名".encode() not in bodies  # which fields changed is public, no typed word is


def test_a_system_is_found_by_its_partys_new_name(registry: Registry) -> None:
    party = registry.register_party(RegisterParty(name="旧名有限公司"), by=OWNER)
    system = registry.register_system(
        RegisterSystem(provider_id=party.id, name_zh="助手", purpose_zh="回答问题"), by=OWNER
    )
    seal = registry.party_view(party.id).seal

    registry.change_party(party.id, ChangeParty(seal=seal, reason="更名", name="新名有限公司"), by=OWNER)

    assert registry.systems_of(party.id) == (system.id,)
    assert registry.party(party.id).registered_at == datetime(2026, 11, 21, 12, tzinfo=UTC)
