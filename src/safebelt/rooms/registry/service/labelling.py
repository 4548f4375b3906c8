"""What systems are looked up by stays true when the law turns: classes and red lines are judged anew, many at once.

A way through the whole register, like those of `watching`; it changes no record and leaves no entry, since labels only
repeat what a judgment of the facts on record comes to today.
"""

from dataclasses import replace

from safebelt.rooms.registry import store
from safebelt.rooms.registry.model import Status
from safebelt.rooms.registry.model.changes import Sweep
from safebelt.rooms.registry.model.search import Judged
from safebelt.rooms.registry.service.packaging import Packaging
from safebelt.rooms.registry.service.watching import STRETCH, STRETCHES_A_TURN

LABELS = "labels"
"""The third way through the register."""
RELABELLED_AT_ONCE = 500
"""Systems locked in one transaction: others wait for them for a moment only."""


class Labelling(Packaging):
    """Keeps classes and red lines, by which systems are looked up, as the law reads today."""

    def keep_labels(self) -> Sweep:
        """Take one turn through the systems with facts on record; return how far the way has come."""
        found = self._begin(LABELS)
        for _ in range(STRETCHES_A_TURN):
            if found.is_done:
                break
            turn = self._turned(found)
            is_quiet = turn is not None and not turn.can_relabel
            found = self._saved(LABELS, found, replace(found, is_done=True)) if is_quiet else self._label_stretch(found)
        return found

    def _label_stretch(self, sweep: Sweep) -> Sweep:
        stretch = self._stretch(sweep.after, tuple(Status))
        found = stretch.described()
        with self._sql.read() as tx:
            facts = [(record.description.values(), party) for _, party, record in found]
            weighed = self._rules.weigh(tx, facts, on=sweep.until.day)
            held = store.search.judged_labels(tx, [name for name, _, _ in found])
        stale: dict[str, tuple[int, Judged]] = {}
        for (name, _, record), one in zip(found, weighed, strict=True):
            judged = Judged(classes=one.classes, red_lines=one.barred_by)
            if set(store.search.looked_up_by(judged)) != held.get(name, set()):
                stale[name] = (record.version, judged)
        counts = {"seen": len(stretch.systems), "relabelled": self._relabel(stale)}
        counts = {key: sweep.counts.get(key, 0) + many for key, many in counts.items()}
        is_done = len(stretch.systems) < STRETCH
        return self._saved(LABELS, sweep, replace(sweep, after=stretch.last, is_done=is_done, counts=counts))

    def _relabel(self, stale: dict[str, tuple[int, Judged]]) -> int:
        """Put labels right, but for whom somebody described meanwhile: that judged it by today's law already."""
        done = 0
        for some in store.search.batches(sorted(stale), RELABELLED_AT_ONCE):
            with self._sql.begin() as tx:
                for name in some:
                    self._one_at_a_time(tx, name)
                same = [name for name in some if self._rules.facts_version_within(tx, name) == stale[name][0]]
                store.search.set_judged(tx, {name: stale[name][1] for name in same})
            done += len(same)
        return done
