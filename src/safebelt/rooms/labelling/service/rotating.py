"""Changing the key of this house's watermarks."""

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.labelling.model.events import WatermarkKeyRotated
from safebelt.rooms.labelling.service.base import Furnished

MAX_REASON = 500


class Rotating(Furnished):
    """Changes the watermarks' key."""

    def rotate_watermark_key(self, *, reason: str, by: Actor) -> int:
        """Mark with a new key from now on, and keep the old one for reading.

        Args:
            reason: Why.
            by: Who changes it.

        Returns:
            How many keys are kept for reading alone.

        Raises:
            Invalid: No reason is given.
            NotFound, Conflict, Unavailable: As `Keyring.rotate`.
        """
        if not reason.strip() or len(reason) > MAX_REASON:
            raise Invalid(
                what=Text(zh="没有写明理由，或理由过长。", en="No reason is given, or it is too long."),
                hint=Text(zh="用一句话说明为何更换。", en="Say in a sentence why it is changed."),
                details={"field": "reason"},
            )
        retired, commitment = self.desk.keyring.rotate()
        event = WatermarkKeyRotated(
            subject=f"watermark-key-{commitment[:16]}", retired=retired, commitment=commitment, reason=reason
        )
        with self.desk.sql.begin() as tx:
            self.desk.ledger.append(tx, event, by=by)
        return retired
