"""What the deeds of labelling work with; it is put together when the first file comes, not when the belt starts."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from safebelt import __version__
from safebelt.engines.clock import Chance, Clock
from safebelt.kernel.errors import NotFound, Problem
from safebelt.kernel.ids import NewId
from safebelt.kernel.text import Text
from safebelt.rooms.labelling import store
from safebelt.rooms.labelling.decide import likeness
from safebelt.rooms.labelling.model.events import Remembered
from safebelt.rooms.labelling.model.likeness import FINGERPRINT_BITS, WITHIN, Alike, Fingerprint
from safebelt.rooms.labelling.service.giving import Giving
from safebelt.rooms.labelling.service.keyring import Keyring

if TYPE_CHECKING:
    from safebelt.engines.sql import Sql
    from safebelt.rooms.certificates.service import Certificates, Hand
    from safebelt.rooms.ledger.service import Ledger
    from safebelt.rooms.registry.service import Registry
    from safebelt.rooms.rulebook.service import Rules

TRUST_LIST = "trust/C2PA-TRUST-LIST.pem"
FONT = "fonts/notice.otf"
WATERMARK_KEY, RETIRED_KEYS = "watermark.key", "watermark-retired"
MAX_IDENT = 1 << 63
"""Ids of watermarks are below this: both databases keep whole numbers of 63 bits."""
_MOST_COMPARED = 50_000
"""Fingerprints that are compared with one: eight times what a million of them brings near, or more."""
_MOST_NAMED = 500
"""Marks among which the oldest is looked for, where many contents look the same."""
_LOOK_AGAIN_SECONDS = 60.0
"""How long a system's hand is used before its folder is looked at again."""


@dataclass(kw_only=True)
class Desk:
    """Everything the room needs to mark and check files.

    Attributes:
        folder: The room's own data: the C2PA trust list, fonts.
        hands: Folder of the identities that sign contents, one folder a system.
        days: How long a certificate of such an identity is asked for.
        public_base: Address of the console, without a slash at its end.
    """

    sql: "Sql"
    ledger: "Ledger"
    registry: "Registry"
    rules: "Rules"
    certificates: "Certificates"
    folder: Path
    hands: Path
    days: int
    public_base: str
    clock: Clock
    chance: Chance
    new_id: NewId

    def roots(self) -> str:
        """Return the roots of this house, PEM; empty where no authority was founded."""
        from safebelt.rooms.certificates.model import Role  # noqa: PLC0415  heavy, and only where files are checked
        from safebelt.rooms.certificates.service import pem_of  # noqa: PLC0415

        try:
            return pem_of(self.certificates.part(Role.ROOT))
        except NotFound:
            return ""

    def trust_list(self) -> str:
        """Return the roots of the C2PA trust list that is kept here, PEM; empty where none is."""
        try:
            return (self.folder / TRUST_LIST).read_text("utf-8")
        except FileNotFoundError:
            return ""

    def hand(self, system_id: str) -> "Hand":
        """Return what signs as a system; its certificate is asked for, and renewed, where that is due.

        Raises:
            Problem: There is none, with why and what to do.
        """
        from safebelt.rooms.certificates.model import Carried  # noqa: PLC0415  as above
        from safebelt.rooms.certificates.service import Agent, AtHome, hand  # noqa: PLC0415

        folder = self.hands / system_id
        wanted = Carried(system_id=system_id, place="", authority="", days=self.days)
        agent = Agent(folder, wanted, AtHome(self.certificates), clock=self.clock, chance=self.chance)
        agent.look()
        found = hand(folder, at=self.clock())
        if found is None:
            raise _no_hand(system_id, agent.carried.problem)
        return found

    def marked(self, sha256: str) -> tuple[str, str]:
        """Return when this house marked a file with this digest, and the ledger's entry; empty where it did not."""
        at, entry_id = (store.by_digest(self.sql, sha256) if sha256 else None) or (None, "")
        return (at.isoformat(), entry_id) if at and entry_id else ("", "")

    def watermarked(self, ident: int | None) -> Remembered | None:
        """Return the mark whose watermark carries an id; None where nothing is remembered."""
        if ident is None or ident >= MAX_IDENT:
            return None
        with self.sql.read() as tx:
            return store.by_ident(tx, ident)

    def alike(self, fingerprint: Fingerprint | None) -> tuple[Alike | None, bool]:
        """Return the mark whose content looks most like a fingerprint, the oldest of several.

        Returns:
            The mark, or None where none matches; and whether more came near than were compared.
        """
        if fingerprint is None:
            return None, False
        with self.sql.read() as tx:
            near = store.in_slots(tx, likeness.slots_near(fingerprint), _MOST_COMPARED)
            far = {mark_id: likeness.distance(bits, fingerprint.bits) for bits, mark_id in near}
            least = min(far.values(), default=FINGERPRINT_BITS)
            is_crowded = len(near) >= _MOST_COMPARED
            if least > WITHIN[fingerprint.of]:
                return None, is_crowded
            nearest = [mark_id for mark_id, bits in far.items() if bits == least][:_MOST_NAMED]
            marks = store.by_ids(tx, nearest)
        alike = [Alike(mark_id=one.id, system_id=one.system_id, at=one.at, bits=least) for one in marks[:1]]
        return (alike[0] if alike else None), is_crowded

    @cached_property
    def keyring(self) -> Keyring:
        """The keys of this house's watermarks."""
        keys = self.hands.parent
        return Keyring(newest=keys / WATERMARK_KEY, retired=keys / RETIRED_KEYS, chance=self.chance)

    def provider_of(self, system_id: str) -> str:
        """Return the unified social credit code of a system's provider; empty where it bears none, or no system is."""
        from safebelt.rooms.registry.model.identity import Scheme  # noqa: PLC0415  as above

        return self.registry.providers_known_as(Scheme.USCC, [system_id]).get(system_id, "") if system_id else ""

    def public(self, system_id: str) -> tuple[Text, str, str]:
        """Return a public system's name, who answers for it, and its page."""
        name, party_id, _ = self.registry.about(system_id)
        try:
            party = self.registry.party(party_id).name
        except Problem:
            party = ""
        return name, party, f"{self.public_base}/en/register/{system_id}"


def _no_hand(system_id: str, why: Text | None) -> NotFound:
    said = why or Text(zh="没有可用的证书", en="it has no certificate in force")
    return NotFound(
        what=Text(
            zh=f"无法以系统 {system_id} 的名义签名：{said.zh}",
            en=f"Nothing can be signed as system {system_id}: {said.en}",
        ),
        hint=Text(
            zh="请先用 safebelt certificates found 建立签发机构，并让系统进入在用阶段；或不加签名。",
            en="Found an authority (safebelt certificates found), let the system into service first, or do not sign.",
        ),
        details={"field": "system"},
    )


class Furnished(Giving):
    """A room with its desk.

    Args:
        provider_code: As `Giving` takes it.
        furnish: Puts the desk together when it is first needed.
        hands: Folder of the identities that sign contents; None where nothing is signed on its way.
    """

    def __init__(
        self, provider_code: str, furnish: Callable[[], Desk] | None = None, *, hands: Path | None = None
    ) -> None:
        super().__init__(provider_code)
        self._furnish, self._hands = furnish, hands
        self._at_hand: dict[str, tuple[float, Hand | None]] = {}
        self.software = ("Safebelt", __version__)

    def renew_hands(self) -> int:
        """Renew the certificates of the hands that are due, and return how many hands there are.

        What cannot be renewed now is tried again; why, stands in the hand's own note.
        """
        if self._hands is None or not self._hands.is_dir():
            return 0
        systems = sorted(folder.name for folder in self._hands.iterdir() if folder.is_dir())
        for system_id in systems:
            with suppress(Problem):
                self.desk.hand(system_id)
        return len(systems)

    def hand_at_hand(self, system_id: str) -> "Hand | None":
        """Return what signs as a system, if it lies ready; looked up anew each minute, and never asked for."""
        from safebelt.rooms.certificates.service import hand  # noqa: PLC0415  heavy, and only where contents pass

        if self._hands is None:
            return None
        now = monotonic()
        kept = self._at_hand.get(system_id)
        if kept is None or now - kept[0] > _LOOK_AGAIN_SECONDS:
            try:
                found = hand(self._hands / system_id, at=datetime.now(UTC))
            except Problem:
                found = None
            kept = self._at_hand[system_id] = (now, found)
        return kept[1]

    @cached_property
    def desk(self) -> Desk:
        """What the deeds work with."""
        if self._furnish is None:
            raise RuntimeError("this labelling was made for the belt alone")
        return self._furnish()
