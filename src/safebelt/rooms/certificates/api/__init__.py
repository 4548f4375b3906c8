"""Doors for programs: JSON, X.509 as everybody's software asks for it, and what the house says of itself."""

from safebelt.rooms.certificates.api.certificates import CertificatesApi
from safebelt.rooms.certificates.api.well_known import WellKnown
from safebelt.rooms.certificates.api.x509 import X509Doors

API = (CertificatesApi, X509Doors, WellKnown)

__all__ = ["API"]
