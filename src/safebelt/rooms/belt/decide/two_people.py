"""Whether an order is an act of two people.  Pure."""

from collections.abc import Mapping

from safebelt.rooms.belt.model import ONE_PERSON, Command, Scope, TwoPeople, scope_of

ALL = ""


def needs_two(
    rules: Mapping[str, TwoPeople],
    command: Command,
    target: str,
    standing: Command = Command.RUN,
    *,
    eases: bool = False,
) -> bool:
    """Whether an order, or its lifting, takes two people: a stop, a limit or a roll-back.

    Args:
        rules: By system; empty for all.
        command: What is ordered.
        target: For what.
        standing: What the house ordered for it before.
        eases: Whether it lets more pass than the one of its kind that stands, or other things.
    """
    own = rules.get(target, rules.get(ALL, ONE_PERSON))
    if eases or _lifts(command, standing):
        # Lifting an order for all, or for a model or key that any system may use, lets every system run.
        everybody = any(rule.lifting for rule in rules.values()) and (not target or _is_part(target))
        return own.lifting or everybody
    return own.placing


def _lifts(command: Command, standing: Command) -> bool:
    """Whether something passes again: after a resume all, and held answers where a drain takes a pause's place."""
    return command.lifts or (command is Command.DRAIN and standing is Command.PAUSE)


def _is_part(target: str) -> bool:
    return scope_of(target) in list(Scope)
