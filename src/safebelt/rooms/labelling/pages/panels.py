"""What labelling lays on a system's dossier: which marks it owes, and what was marked."""

from collections.abc import Mapping
from typing import Any

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.labelling.model import MARKS
from safebelt.rooms.labelling.model.owing import MEDIA, OWINGS
from safebelt.rooms.labelling.service import Labelling
from safebelt.rooms.labelling.service.owing import MOST_COUNTED
from safebelt.web.panels import Panel


def panels(labelling: Labelling) -> tuple[Panel, ...]:
    """Return the panel for `app.state.dossier_panels`."""

    def context(system_id: str, _lang: Lang) -> Mapping[str, Any]:
        return {
            "system_id": system_id,
            "standing": labelling.standing(system_id),
            "media": MEDIA,
            "marks": MARKS,
            "owings": OWINGS,
            "most": MOST_COUNTED,
        }

    title = Text(zh="内容标识", en="Marks on what it makes")
    return (Panel(name="marks", title=title, template="labelling/_panel_marks.html", context=context),)
