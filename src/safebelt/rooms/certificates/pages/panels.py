"""What the certificates lay on a system's dossier."""

from collections.abc import Mapping
from typing import Any

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.certificates.model import STANDINGS, Filter
from safebelt.rooms.certificates.service import Certificates
from safebelt.web.panels import Panel

SHOWN = 3


def panels(certificates: Certificates) -> tuple[Panel, ...]:
    """Return the panel for `app.state.dossier_panels`."""

    def context(system_id: str, lang: Lang) -> Mapping[str, Any]:
        page = certificates.certificates(Filter(system_id=system_id))
        return {
            "system_id": system_id,
            "items": page.items[:SHOWN],
            "total": page.total,
            "now": certificates.now(),
            "standings": STANDINGS,
        }

    title = Text(zh="证书", en="Certificate")
    template = "certificates/_panel.html"
    return (
        Panel(
            name="certificate",
            title=title,
            template=template,
            context=context,
            place="side",
            needs="certificates.read",
        ),
    )
