"""Round trips shared by whoever asks at the same time (group commit, for reads as well).

Asks that arrive while a round trip is under way join the next one: no timer, so a lone ask waits for nobody, and under
load one statement serves up to `most` of them.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Generic, TypeVar, cast

Ask = TypeVar("Ask")
Answer = TypeVar("Answer")


class Together(Generic[Ask, Answer]):
    """`answer` takes up to `most` asks and gives their answers in the same order; `trips` may be under way at once.

    An exception it raises reaches everybody of that trip. Never ask from within a transaction: the trip has its own
    connection, and would not see what the transaction wrote.
    """

    def __init__(
        self, answer: Callable[[Sequence[Ask]], Awaitable[Sequence[Answer]]], *, most: int = 64, trips: int = 2
    ) -> None:
        self._answer, self._most, self._trips = answer, most, trips
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: deque[tuple[Ask, asyncio.Future[Answer]]] = deque()
        self._under_way: set[asyncio.Task[None]] = set()

    async def ask(self, ask: Ask) -> Answer:
        """The answer to `ask`. One whose caller gives up (is cancelled) is not asked any more, if it still waits."""
        self._enter(asyncio.get_running_loop())
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((ask, future))
        if len(self._under_way) < self._trips:
            # A context of its own: neither the first caller's log fields nor its transaction may leak to the others.
            trip = asyncio.get_running_loop().create_task(self._travel(), context=Context())
            self._under_way.add(trip)
            trip.add_done_callback(self._under_way.discard)
        return await future

    def _enter(self, loop: asyncio.AbstractEventLoop) -> None:
        """What a closed loop left behind is nobody's."""
        if self._loop is not loop:
            self._loop, self._waiting, self._under_way = loop, deque(), set()

    async def _travel(self) -> None:
        under_way = self._under_way
        try:
            while self._waiting:
                taken = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
                await self._serve([(ask, future) for ask, future in taken if not future.done()])
        finally:
            # At once, not by a callback of the task: whoever asks before that callback runs would wait for a trip that
            # takes nobody any more.
            under_way.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _serve(self, taken: list[tuple[Ask, "asyncio.Future[Answer]"]]) -> None:
        if not taken:
            return
        try:
            answers: Sequence[Answer] = await self._answer([ask for ask, _ in taken])
        except Exception as failure:  # noqa: BLE001 — not hidden: every caller of the trip raises it
            for _, future in taken:
                if not future.done():
                    future.set_exception(failure)
            return
        for (_, future), answer in zip(taken, answers, strict=True):
            if not future.done():
                future.set_result(answer)
