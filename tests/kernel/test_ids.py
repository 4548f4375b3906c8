"""Ids sort by time, do not repeat, and are UUID version 7."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safebelt.engines.clock import real_ids
from safebelt.kernel.ids import encode, id_maker, uuid7

millis = st.integers(0, 2**48 - 1)
chance = st.binary(min_size=10, max_size=10)


def test_the_vector_of_rfc_9562_appendix_a_6() -> None:
    random = (0xCC3 << 62 | 0x18C4DC0C0C07398F).to_bytes(10)

    assert uuid.UUID(int=uuid7(0x017F22E279B0, random)) == uuid.UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")


@given(millis, chance)
def test_version_variant_and_time_are_where_the_rfc_puts_them(at, random) -> None:
    value = uuid.UUID(int=uuid7(at, random))

    assert (value.version, value.variant, value.int >> 80) == (7, uuid.RFC_4122, at)


@given(millis, chance, chance)
def test_all_74_random_bits_count(at, one, other) -> None:
    mask = 2**74 - 1
    is_same = int.from_bytes(one) & mask == int.from_bytes(other) & mask

    assert (uuid7(at, one) == uuid7(at, other)) is is_same


@given(millis, millis, chance, chance)
def test_ids_of_a_later_millisecond_sort_later(first, second, one, other) -> None:
    early = id_maker(lambda: first, lambda _: one)("ent")
    late = id_maker(lambda: second, lambda _: other)("ent")

    if first != second:
        assert (early < late) is (first < second)


@given(millis, chance)
def test_an_id_is_its_uuid_written_out(at, random) -> None:
    assert id_maker(lambda: at, lambda _: random)("ent") == f"ent_{encode(uuid7(at, random))}"


@pytest.mark.parametrize(("at", "random"), [(2**48, bytes(10)), (0, bytes(9))])
def test_no_id_is_made_of_a_time_or_chance_that_does_not_fit(at, random) -> None:
    with pytest.raises(ValueError, match="48-bit"):
        id_maker(lambda: at, lambda _: random)("ent")


@given(st.integers(0, 2**128 - 1), st.integers(0, 2**128 - 1))
def test_writing_keeps_order_and_tells_values_apart(one, other) -> None:
    assert (encode(one) < encode(other), encode(one) == encode(other)) == (one < other, one == other)
    assert len(encode(one)) == 26


@pytest.mark.parametrize(("at", "random"), [(-1, bytes(10)), (2**48, bytes(10)), (0, bytes(9)), (0, bytes(11))])
def test_a_time_or_chance_that_does_not_fit_is_refused(at, random) -> None:
    with pytest.raises(ValueError, match="48-bit"):
        uuid7(at, random)


def test_ten_thousand_real_ids_are_all_different_and_carry_their_prefix() -> None:
    new_id = real_ids()
    ids = {new_id("sys") for _ in range(10_000)}

    assert len(ids) == 10_000
    assert all(one.startswith("sys_") and len(one) == 30 for one in ids)
