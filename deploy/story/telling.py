"""Saying what is observed, and ending where it is not what it should be."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any, TypeVar

from rich.console import Console
from rich.markup import escape

from miniprogram_mock.phones import Problem

PATIENCE_SECONDS = 30.0
POLL_SECONDS = 0.2
Seen = TypeVar("Seen")


class Broken(Exception):
    """The story does not go on: `what` was not as expected, in the chapter `chapter`."""

    def __init__(self, chapter: str, what: str, expected: Any, seen: Any) -> None:
        super().__init__(f"{chapter}: {what}: expected {expected!r}, seen {seen!r}")
        self.chapter, self.what, self.expected, self.seen = chapter, what, expected, seen


class Teller:
    """Prints chapters and facts; `now` is the chapter being told."""

    def __init__(self, console: Console) -> None:
        self.console, self._begun, self.now = console, monotonic(), ""

    def chapter(self, title: str) -> None:
        """What follows belongs to `title`."""
        self.now = title
        self.console.print(f"[bold]{title}[/bold] [dim]{monotonic() - self._begun:.0f} s[/dim]")

    def fact(self, text: str) -> None:
        """One thing observed."""
        self.console.print(f"  [green]✓[/green] {escape(text)}", soft_wrap=True, highlight=False)

    def expect(self, what: str, seen: Seen, expected: Seen) -> Seen:
        """Say that `what` is as expected. Raises Broken."""
        self.require(what, seen == expected, seen, expected)
        return seen

    def require(self, what: str, holds: bool, seen: Any, expected: Any) -> None:
        """Say `what` and what was seen. Raises Broken unless it holds."""
        if not holds:
            raise Broken(self.now, what, expected, seen)
        self.fact(f"{what}: {_short(seen)}")

    async def refused(self, what: str, asked: Awaitable[Any], code: str) -> Problem:
        """Say that what is asked is refused with this code; the refusal. Raises Broken."""
        try:
            await asked
        except Problem as refusal:
            self.require(f"refused: {what}", refusal.code == code, f"{refusal.status} {refusal.code}", code)
            return refusal
        raise Broken(self.now, what, f"refused: {code}", "done")

    async def until(
        self,
        what: str,
        read: Callable[[], Awaitable[Seen]],
        holds: Callable[[Seen], bool],
        *,
        expected: Any,
        seconds: float = PATIENCE_SECONDS,
        every: float = POLL_SECONDS,
    ) -> Seen:
        """Read until it holds; say what was seen in the end. Raises Broken at the deadline."""
        deadline = monotonic() + seconds
        while not holds(seen := await read()):
            if monotonic() > deadline:
                raise Broken(self.now, what, expected, seen)
            await asyncio.sleep(every)
        self.fact(f"{what}: {_short(seen)}")
        return seen


def _short(seen: Any) -> str:
    """What was seen, in few words: many things are counted, not shown."""
    if type(seen) in (dict, Counter) and 0 < len(seen) <= 6:
        return ", ".join(f"{what} {count}" for what, count in seen.items())
    if type(seen) in (dict, Counter, list, tuple, set, frozenset):
        return str(len(seen)) if len(seen) != 2 else " and ".join(map(str, seen))
    return str(seen)
