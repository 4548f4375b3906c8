"""Detectors of personal data and secrets, one file per family."""

from collections.abc import Mapping
from types import MappingProxyType

from safebelt.rooms.belt.scanner.detectors import bank, email, identity, network, phones, secrets
from safebelt.rooms.belt.scanner.detectors.base import LOOK_BEHIND, REACH, Detector

DETECTORS: Mapping[str, Detector] = MappingProxyType(
    {
        detector.name: detector
        for family in (email, phones, identity, bank, network, secrets)
        for detector in family.DETECTORS
    }
)
"""Every detector a policy can name."""

__all__ = ["DETECTORS", "LOOK_BEHIND", "REACH", "Detector"]
