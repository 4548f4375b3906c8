"""What a rule rests on."""

from dataclasses import dataclass
from datetime import date

from safebelt.kernel.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a content rule rests on (invariant 17); a rule without one is shown as *house rule*."""

    provision: str
    authority: Text
    scope: Text
    expires: date | None = None
