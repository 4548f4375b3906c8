"""The belt's command line.  It needs neither HTTP nor a running belt; whoever holds the home acts as its owner."""

from cyclopts import App

from safebelt.rooms.belt.cli import (
    admission,
    approvals,
    classifying,
    evidence,
    keys,
    limiting,
    originals,
    policies,
    reconciling,
    replaying,
    setting,
    stopping,
    strikes,
    two_people,
    upstreams,
    versions,
)
from safebelt.rooms.belt.service import Belt


def commands(belt: Belt) -> App:
    """Build `safebelt belt …`."""
    app = App(name="belt", help="Admit, screen, label, record and stop what runs. 安全带。")
    stopping.add_to(app, belt)
    limiting.add_to(app, belt)
    versions.add_to(app, belt)
    two_people.add_to(app, belt)
    admission.add_to(app, belt)
    approvals.add_to(app, belt)
    evidence.add_to(app, belt)
    keys.add_to(app, belt)
    originals.add_to(app, belt)
    setting.add_to(app, belt)
    strikes.add_to(app, belt)
    policies.add_to(app, belt)
    replaying.add_to(app, belt)
    classifying.add_to(app, belt)
    reconciling.add_to(app, belt)
    upstreams.add_to(app, belt)
    return app
