"""The rulebook's command line: `safebelt rulebook judge|calendar|interview|impact|norms|explain|…`."""

from cyclopts import App

from safebelt.rooms.rulebook.cli import deciding, impact, interviewing, judging, reading
from safebelt.rooms.rulebook.service import Rules


def commands(rules: Rules) -> App:
    """Build the group `rulebook`."""
    app = App(
        name="rulebook",
        help="What the law demands of whom, why, since when. 规则库：法律要求谁做什么、为何、自何时起。",
    )
    judging.add(app, rules)
    interviewing.add(app, rules)
    impact.add(app, rules)
    reading.add(app, rules)
    deciding.add(app, rules)
    return app


__all__ = ["commands"]
