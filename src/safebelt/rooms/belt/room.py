"""The belt's plate."""

from typing import TYPE_CHECKING, Any

from safebelt.kernel.rooms import Furniture, Habit, Room
from safebelt.kernel.text import Text

if TYPE_CHECKING:
    from safebelt.rooms.belt.service import Belt


def _furniture() -> Furniture:
    from safebelt.rooms.belt import store
    from safebelt.rooms.belt.api import (
        AdmissionApi,
        ApprovalApi,
        KeyApi,
        LimitApi,
        OriginalsApi,
        OverBlockingApi,
        PolicyApi,
        ReconcileApi,
        RecordsApi,
        SettingApi,
        StopApi,
        StrikeApi,
        TransparencyApi,
        TwoPeopleApi,
        UpstreamApi,
        VersionApi,
    )
    from safebelt.rooms.belt.model import (
        AdmissionAdopted,
        ContentSwept,
        HarnessSet,
        HarnessSetV1,
        HoldOrdered,
        KeyChanged,
        KeyIssued,
        KeyIssuedV1,
        KeyRevoked,
        KeyRotated,
        LimitOrdered,
        OrderRefused,
        OriginalHandedOut,
        PolicyAdopted,
        Reconciled,
        RecordErased,
        SegmentRemoved,
        SegmentSealed,
        StopEffective,
        StopOrdered,
        StrikeAppealed,
        StrikeReviewed,
        Struck,
        ToolApproved,
        ToolHeld,
        ToolRefused,
        TwoPeopleSet,
        VersionOrdered,
    )
    from safebelt.rooms.belt.pages import (
        AdmissionPages,
        ApprovalPages,
        ConsolePages,
        KeyPages,
        LimitPages,
        OriginalPages,
        OverBlockingPages,
        PolicyPages,
        ReconcilePages,
        SettingPages,
        StopPages,
        StrikePages,
        TransparencyPages,
        TryPages,
        TwoPeoplePages,
        UpstreamPages,
        VersionPages,
    )

    return Furniture(
        events=(
            KeyIssuedV1,
            KeyIssued,
            KeyChanged,
            KeyRotated,
            KeyRevoked,
            HarnessSetV1,
            HarnessSet,
            StopOrdered,
            StopEffective,
            HoldOrdered,
            LimitOrdered,
            VersionOrdered,
            TwoPeopleSet,
            OrderRefused,
            SegmentSealed,
            SegmentRemoved,
            ContentSwept,
            RecordErased,
            OriginalHandedOut,
            PolicyAdopted,
            AdmissionAdopted,
            Struck,
            StrikeReviewed,
            StrikeAppealed,
            Reconciled,
            ToolHeld,
            ToolApproved,
            ToolRefused,
        ),
        api=(
            StopApi,
            LimitApi,
            VersionApi,
            UpstreamApi,
            TwoPeopleApi,
            RecordsApi,
            OriginalsApi,
            ReconcileApi,
            SettingApi,
            KeyApi,
            PolicyApi,
            OverBlockingApi,
            AdmissionApi,
            StrikeApi,
            ApprovalApi,
            TransparencyApi,
        ),
        pages=(
            ConsolePages,
            UpstreamPages,
            OriginalPages,
            ReconcilePages,
            StopPages,
            LimitPages,
            VersionPages,
            TwoPeoplePages,
            SettingPages,
            KeyPages,
            AdmissionPages,
            PolicyPages,
            OverBlockingPages,
            StrikePages,
            ApprovalPages,
            TryPages,
            TransparencyPages,
        ),
        tables=store.TABLES,
    )


def _cli(belt: "Belt") -> Any:
    from safebelt.rooms.belt.cli import commands

    return commands(belt)


def _habits(belt: "Belt") -> tuple[Habit, ...]:
    from safebelt.rooms.belt.jobs import habits

    return habits(belt)


ROOM = Room(
    name="belt",
    title=Text(zh="安全带", en="Belt"),
    purpose=Text(
        zh="在流量之中：识别调用方，筛查、标识、记录每一次往来，并可随时由人停止，且能证明确已停止。",
        en="In the traffic: know the caller, screen, label and record every exchange, "
        "and let a person stop it at any moment and prove that it stopped.",
    ),
    serves=("R4", "R6", "R21", "R24"),
    furniture=_furniture,
    cli=_cli,
    habits=_habits,
)
