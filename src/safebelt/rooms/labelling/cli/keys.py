"""`safebelt labelling rotate-watermark-key`."""

from typing import Annotated

from cyclopts import App, Parameter

from safebelt.kernel.actors import OWNER
from safebelt.kernel.text import Text
from safebelt.rooms.labelling.service import Labelling
from safebelt.web.terminal import Answer


def add_keys(app: App, labelling: Labelling) -> None:
    """Add the command to the group."""

    @app.command(name="rotate-watermark-key")
    def rotate_watermark_key(*, reason: Annotated[str, Parameter(help="Why.")]) -> Answer:
        """Mark with a new watermark key from now on; the old one is kept, and its marks are still read.

        Every retired key makes a check of what carries no mark slower by one search; at most seven are kept.
        """
        retired = labelling.rotate_watermark_key(reason=reason, by=OWNER)
        says = Text(
            zh=f"此后用新密钥加水印；停用的 {retired} 个密钥仍用于读取。请立即备份。",
            en=f"Watermarks carry a new key from now on; {retired} retired ones are still read. Back up now.",
        )
        return Answer(data={"retired": retired}, says=says)
