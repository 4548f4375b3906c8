"""Synthetic systems: seeded, drawn column by column, plausible in what goes together, and nobody's real data.

Every system has three hidden traits, drawn first: what it is (a hiring tool, a chatbot, a model provider …), where
its provider sits, and how large the provider is.  Facts depend on a trait where they would in life: purposes,
functions and practices on what it is; markets, places and roles' countries on where; users, revenue and compute on
size and kind.  All other facts are drawn alone: yes with probability 0.2, an option of a set with 0.04, one option of
a choice as likely as another, numbers log-uniform around the limits the law sets, dates uniform over 2023 to 2028.
A share of all facts is then forgotten.  Chance is Polars' seeded hash of the row number: one version, one population.
"""

from datetime import date

import polars as pl

from safebelt.rooms.rulebook.columns import Layout
from safebelt.rooms.rulebook.columns.layout import WORD_BITS, Slot
from safebelt.rooms.rulebook.model import FactType

KINDS: dict[str, tuple[float, dict[str, dict[str, float]]]] = {
    "hiring": (
        0.08,
        {
            "use.purposes": {"recruitment_selection": 0.9, "job_advertising_targeting": 0.3},
            "system.functions": {"scores_or_classifies_persons": 0.9},
            "audience.includes": {"workers": 0.8},
        },
    ),
    "credit": (
        0.07,
        {
            "use.purposes": {"credit_scoring": 0.7, "fraud_detection": 0.5, "financial_or_lending_decision": 0.7},
            "system.functions": {"scores_or_classifies_persons": 0.9, "predicts_or_forecasts": 0.6},
        },
    ),
    "chatbot": (
        0.22,
        {
            "use.purposes": {"customer_service": 0.6, "search_and_knowledge": 0.4, "office_productivity": 0.4},
            "system.functions": {"converses": 0.95, "generates_text": 0.95},
            "audience.includes": {"consumers": 0.6, "general_public": 0.6},
        },
    ),
    "companion": (
        0.04,
        {
            "use.purposes": {"social_companionship": 0.95, "entertainment": 0.5},
            "system.functions": {"converses": 0.98, "companion_personality": 0.95, "imitates_voice": 0.4},
            "audience.includes": {"minors_14_to_17": 0.4, "children_under_14": 0.15, "consumers": 0.9},
        },
    ),
    "images": (
        0.10,
        {
            "use.purposes": {"entertainment": 0.6, "marketing_or_advertising": 0.5},
            "system.functions": {"generates_images": 0.9, "generates_video": 0.5, "edits_or_swaps_faces": 0.3},
            "use.practices": {"sexual_depiction_of_identifiable_person": 0.02},
        },
    ),
    "recommender": (
        0.10,
        {
            "use.purposes": {
                "content_platform": 0.8,
                "retail_pricing_or_recommendation": 0.4,
                "news_and_public_information": 0.3,
            },
            "system.functions": {"recommends_content": 0.95, "ranks_content": 0.8},
        },
    ),
    "health": (
        0.08,
        {
            "use.purposes": {"medical_diagnosis_or_treatment": 0.6, "healthcare_administration": 0.3},
            "audience.includes": {"patients": 0.8},
            "system.functions": {"recognises_objects_or_documents": 0.5, "predicts_or_forecasts": 0.5},
        },
    ),
    "machine": (
        0.09,
        {
            "use.purposes": {
                "driving_or_vehicle_control": 0.4,
                "manufacturing_or_quality": 0.5,
                "safety_electricity": 0.1,
            },
            "system.functions": {"controls_equipment": 0.8, "detects_anomalies": 0.4},
        },
    ),
    "public": (
        0.08,
        {
            "use.purposes": {
                "public_benefits_eligibility": 0.4,
                "public_administration_other": 0.6,
                "visa_asylum_applications": 0.05,
            },
            "audience.includes": {"public_authorities": 0.8},
        },
    ),
    "police": (
        0.03,
        {
            "use.purposes": {"crime_victim_risk": 0.2, "evidence_reliability": 0.3, "public_security": 0.6},
            "system.functions": {
                "remote_biometric_identification_post": 0.3,
                "remote_biometric_identification_realtime": 0.1,
            },
            "use.practices": {"realtime_biometric_identification_for_law_enforcement": 0.05},
        },
    ),
    "school": (
        0.06,
        {
            "use.purposes": {"education_support": 0.7, "learning_outcomes_evaluation": 0.4, "exam_monitoring": 0.2},
            "audience.includes": {"students": 0.9, "minors_14_to_17": 0.5},
        },
    ),
    "model": (
        0.05,
        {
            "use.purposes": {"software_development": 0.6, "search_and_knowledge": 0.6},
            "system.functions": {"generates_text": 0.9, "generates_code": 0.8, "acts_with_tools": 0.4},
            "party.roles": {"gpai_provider": 0.9, "frontier_developer": 0.2},
        },
    ),
}
PLACES = {
    "eu": 0.40,
    "cn": 0.28,
    "us-ca": 0.12,
    "us-ny": 0.03,
    "us-other": 0.07,
    "kr": 0.04,
    "jp": 0.03,
    "vn": 0.01,
    "sg": 0.02,
}
SIZES = {"sme": 0.62, "small_mid_cap": 0.08, "large": 0.30}
YES = {"system.is_ai": 0.97, "offer.to_public": 0.6, "data.personal_information": 0.6, "profiling.natural_persons": 0.3}
ALONE = {"party.roles": {"provider": 0.6, "deployer": 0.55, "personal_information_handler": 0.4, "importer": 0.05}}
RARE = ("use.practices", "use.only_for", "incident.kinds", "event.kinds", "party.covenants", "eu.product.annex_i")
YES_ALONE, OPTION_ALONE, OPTION_RARE, OTHER_MARKET = 0.2, 0.04, 0.004, 0.15
_FIRST, _LAST = date(2023, 1, 1), date(2028, 12, 31)


class _Chance:
    """Numbers between 0 and 1, a new column each time it is asked."""

    def __init__(self, seed: int) -> None:
        self._next = seed * 1_000_003

    def draw(self) -> pl.Expr:
        self._next += 1
        return pl.col("row").hash(self._next).cast(pl.Float64) / 2.0**64


def _pick(draw: pl.Expr, weights: list[float]) -> pl.Expr:
    """The number of the part of the whole that a draw falls into."""
    total, edges = 0.0, []
    for weight in weights[:-1]:
        total += weight / sum(weights)
        edges.append((draw >= total).cast(pl.UInt8))
    return pl.sum_horizontal([pl.lit(0, dtype=pl.UInt8), *edges])


def _by(trait: str, odds: list[float]) -> pl.Expr:
    """A probability that depends on a trait, or a plain one if it does not."""
    if len(set(odds)) == 1:
        return pl.lit(odds[0])
    return pl.col(trait).replace_strict(range(len(odds)), odds, return_dtype=pl.Float64)


def _odds(fact: str, option: str) -> pl.Expr:
    """How likely a set has an option."""
    if fact in ("market.jurisdictions", "output.used_in", "provider.established_in", "deployer.established_in"):
        elsewhere = OTHER_MARKET if fact in ("market.jurisdictions", "output.used_in") else 0.01
        return _by("place", [0.97 if place == option else elsewhere for place in PLACES])
    rest = OPTION_RARE if fact in RARE else OPTION_ALONE
    alone = ALONE.get(fact, {}).get(option, rest)
    return _by("kind", [facts.get(fact, {}).get(option, alone) for _, facts in KINDS.values()])


def _set(slot: Slot, chance: _Chance) -> list[pl.Expr]:
    columns = []
    for at, kind in enumerate(slot.columns.values()):
        here = slot.options[WORD_BITS * at : WORD_BITS * (at + 1)]
        none = pl.lit(0, dtype=kind)
        bits = [
            pl.when(chance.draw() < _odds(slot.fact, one)).then(pl.lit(1 << bit, dtype=kind)).otherwise(none)
            for bit, one in enumerate(here)
        ]
        columns.append(pl.sum_horizontal(bits).cast(kind))
    return columns


def _choice(slot: Slot, chance: _Chance) -> pl.Expr:
    if slot.fact == "provider.size":
        code = _by("size", [float(slot.codes([size])[0]) if size in slot.options else 0.0 for size in SIZES])
    elif slot.fact == "use.military":
        code = pl.when(chance.draw() < 0.98).then(0).otherwise(slot.codes(slot.options)[0])
    else:
        code = (chance.draw() * (len(slot.options) + 1)).floor()
    return code.cast(next(iter(slot.columns.values())))


def _number(slot: Slot, chance: _Chance) -> pl.Expr:
    """Log-uniform from a hundredth of the least limit to ten times the greatest; large and model providers more."""
    limits = [abs(float(one)) for one in slot.constants if one] or [1.0]
    low, high = min(limits) / 100, max(limits) * 10
    if slot.fact == "model.training_flop":
        low = 1e20
    lean = _by("size", [1.6, 1.2, 1.0]) * _by("kind", [0.6 if kind == "model" else 1.0 for kind in KINDS])
    return pl.lit(low) * (pl.lit(high / low) ** (chance.draw() ** lean))


def _single(slot: Slot, chance: _Chance) -> pl.Expr:
    match slot.type:
        case FactType.YES_NO:
            return chance.draw() < YES.get(slot.fact, YES_ALONE)
        case FactType.ONE_OF | FactType.TEXT:
            return _choice(slot, chance)
        case FactType.NUMBER:
            return _number(slot, chance)
    days = (chance.draw() * (_LAST - _FIRST).days).cast(pl.Int32) + (_FIRST - date(1970, 1, 1)).days
    return days.cast(pl.Date)


def synthetic(layout: Layout, systems: int, *, seed: int, forgotten: float) -> pl.DataFrame:
    """Return a table of synthetic systems.

    Args:
        layout: What is kept of each.
        systems: How many.
        seed: The same seed draws the same.
        forgotten: The share of facts that are not known.
    """
    chance = _Chance(seed)
    rows = pl.DataFrame({"row": pl.int_range(systems, eager=True, dtype=pl.UInt64)}).with_columns(
        kind=_pick(chance.draw(), [weight for weight, _ in KINDS.values()]),
        place=_pick(chance.draw(), list(PLACES.values())),
        size=_pick(chance.draw(), list(SIZES.values())),
    )
    parts = []
    for slot in layout.slots.values():
        drawn = _set(slot, chance) if slot.type is FactType.SOME_OF else [_single(slot, chance)]
        is_known = chance.draw() >= forgotten
        kept = zip(slot.columns, drawn, strict=True)
        parts.append(rows.select(pl.when(is_known).then(one).alias(name) for name, one in kept))
    return pl.concat(parts, how="horizontal")
