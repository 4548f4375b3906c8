"""Somebody at a keyboard, without a mouse, and what they see of where they are."""

from typing import Any

MOST_TABS = 160
"""Presses of Tab within which everything on a page is reached."""
HERE = "document.activeElement"
SEEN = f"""(() => {{ const on = {HERE}, box = on.getBoundingClientRect(), look = getComputedStyle(on);
  const beside = on.matches("input[type=checkbox], input[type=radio]") && on.labels[0]
    ? getComputedStyle(on.labels[0], "::before") : look;
  const marked = [look, beside].some((each) =>
    (each.outlineStyle !== "none" && parseFloat(each.outlineWidth) > 0) || each.boxShadow !== "none");
  return {{ tag: on.tagName, text: (on.innerText || on.getAttribute("aria-label") || on.name || "").trim().slice(0, 60),
    marked: marked, inside: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    size: Math.round(box.width * box.height) }}; }})()"""
"""What has the focus, and whether one sees that it has."""


class Keys:
    """Somebody at a keyboard, without a mouse."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def to(self, wanted: str, *, back: bool = False) -> None:
        """Press Tab until the focus is on what a selector matches, or what says some words."""
        is_there = (
            f"{HERE}.matches({wanted!r})"
            if wanted.startswith(("#", ".", "[", "input", "select", "summary", "button"))
            else f"({HERE}.innerText || '').trim() === {wanted!r}"
        )
        for _ in range(MOST_TABS):
            if self.page.evaluate(is_there):
                return
            self.press("Shift+Tab" if back else "Tab")
        raise AssertionError(f"the keyboard does not reach {wanted!r} on {self.page.url}")

    def into(self, wanted: str, words: str) -> None:
        self.to(wanted)
        self.page.keyboard.type(words)

    def enter(self, wanted: str, until: str) -> None:
        self.to(wanted)
        self.press("Enter")
        self.page.wait_for_url(until)

    def walk(self) -> list[dict[str, Any]]:
        """Press Tab until the focus leaves the page; return what had it, in order."""
        passed = []
        for _ in range(MOST_TABS):
            self.press("Tab")
            if self.page.evaluate(f"{HERE} === document.body"):
                return passed
            passed.append(self.page.evaluate(SEEN))
        raise AssertionError(f"the focus is caught on {self.page.url}")
