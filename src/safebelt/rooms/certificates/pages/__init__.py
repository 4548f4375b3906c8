"""Pages of the certificates, and what they lay on a system's dossier."""

from safebelt.rooms.certificates.pages.certificates import CertificatePages
from safebelt.rooms.certificates.pages.challenge import ChallengePage
from safebelt.rooms.certificates.pages.panels import panels

PAGES = (CertificatePages, ChallengePage)

__all__ = ["PAGES", "panels"]
