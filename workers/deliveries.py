"""Pushing: what is due begins, is sent side by side, and its outcomes are written together as they come in."""

import asyncio
from collections import Counter
from math import ceil
from uuid import UUID

from gateways.refusals import Refusal, RefusalKind
from models import deliveries, organization
from models.deliveries import Conclusion, DeliveryState, Push
from workers import metrics
from workers.channels import Channels
from workers.relay import Context, attempt, every, handles, wait

AT_ONCE = 200
"""Messages on their way at a time, of this worker; the transport takes 256 connections."""
BEGUN_AHEAD = AT_ONCE // 2
"""So many more have begun and wait for their turn: beginning costs many round trips, however few begin."""
LONGEST_TURN_SECONDS = 5
"""With a low rate fewer have begun, so that none waits longer than this for its turn."""
SEND_SECONDS = 25
"""Less than a push's lease: nobody else sends to that person while this message may still leave."""
LOOK_AGAIN_SECONDS = 0.05
"""How soon a worker under way looks again for what is due, and how long at most it waits for more free places."""
GATHER_SECONDS = 0.05
"""For so long outcomes wait for each other, so that many are written together."""


@handles(deliveries.CREDIT_REPORT)
async def credit_report(context: Context, zone_id: UUID, payload: dict[str, str]) -> None:
    """A phone's own word on its consent counts where the platform's event did not come."""
    await deliveries.credit_report(zone_id, **payload)


@every(seconds=5)
async def recover(context: Context) -> None:
    """Settle what workers held that are gone."""
    for zone_id in await organization.zone_ids():
        for channel in await deliveries.recover(zone_id):
            metrics.outcomes.labels(channel.value, DeliveryState.UNKNOWN.value).inc()


@every(seconds=1)
async def push(context: Context) -> None:
    """Send all that is due. A message that hangs holds up only its own place."""
    await Pushing(context).run()


class Pushing:
    """Beginning and sending, concluding: two steps side by side, a queue between them.

    Each takes all that waits for it in one statement, so that the more there is to do, the less each message costs.
    """

    def __init__(self, context: Context) -> None:
        self._channels, self._refusals = Channels(context), context.refusals
        self._template = context.settings.wechat.subscribe_template
        self._stopping = context.stopping
        self._places = min(AT_ONCE + BEGUN_AHEAD, ceil(context.settings.messages_per_second * LONGEST_TURN_SECONDS))
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._sending: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()
        self._ended: asyncio.Queue[Conclusion | None] = asyncio.Queue()
        self._unconcluded = 0
        """Begun, and neither given up nor concluded: more may become due by their end."""

    async def run(self) -> None:
        """Until nothing is due and all that was sent is concluded."""
        await asyncio.gather(self._begin(), self._conclude())

    async def _begin(self) -> None:
        """As many as there are free places, and not before: what has begun must leave within its lease."""
        while not self._stopping.is_set():
            begun = await attempt("deliveries.begin", self._begun(await self._free())) or []
            self._unconcluded += len(begun)
            for push in begun:
                task = asyncio.create_task(self._push(push))
                self._sending.add(task)
                task.add_done_callback(self._left)
            if not begun:
                if not self._unconcluded:
                    break
                await wait(self._stopping, LOOK_AGAIN_SECONDS)
        if self._sending:
            await asyncio.wait(self._sending)  # the transport's own timeouts bound it
        self._ended.put_nowait(None)

    async def _free(self) -> int:
        """Free places: at least a third, or what there is after a moment, for some messages may hang."""
        if not self._third_free():
            self._room.clear()
            await wait(self._room, LOOK_AGAIN_SECONDS)
        return self._places - len(self._sending)

    def _third_free(self) -> bool:
        return 3 * len(self._sending) <= 2 * self._places

    def _left(self, sending: asyncio.Task[None]) -> None:
        self._sending.discard(sending)
        if self._third_free():
            self._room.set()

    async def _begun(self, limit: int) -> list[Push]:
        """Up to `limit` pushes of all zones."""
        begun: list[Push] = []
        for zone_id in await organization.zone_ids():
            if len(begun) < limit:
                left = limit - len(begun)
                begun += await deliveries.begin(zone_id, self._template, left, self._channels.configured)
        return begun

    async def _push(self, push: Push) -> None:
        """Send one message. Where that fails in a way that nobody foresaw, its lease answers for it."""
        ended = await attempt("deliveries.push", self._send(push))
        if ended is None:
            self._unconcluded -= 1
        else:
            self._ended.put_nowait(ended)

    async def _conclude(self) -> None:
        """Write outcomes as they come; where the database fails meanwhile, the leases answer for them."""
        over = False
        while not over:
            conclusions, over = await _gathered(self._ended)
            if not conclusions:  # a round that found nothing to send
                continue
            written = await attempt("deliveries.conclude", deliveries.conclude(conclusions, self._template))
            self._unconcluded -= len(conclusions)
            for (channel, state), times in Counter(written or ()).items():
                metrics.outcomes.labels(channel.value, state.value).inc(times)

    async def _send(self, push: Push) -> Conclusion:
        leaving = push.repeats
        try:
            async with asyncio.timeout(SEND_SECONDS), self._turn:
                leaving = True
                msgid = await self._channels.send(push)
        except Refusal as refused:
            await attempt("deliveries.alarm", self._refusals.tell(push.channel, refused))
            return _refused(push, refused)
        except TimeoutError:
            if not leaving:
                return Conclusion(push, DeliveryState.QUEUED)
            return Conclusion(push, DeliveryState.UNKNOWN, RefusalKind.UNKNOWN.value)
        return Conclusion(push, DeliveryState.SENT, reason=self._channels.silence(push), msgid=msgid)


def _refused(push: Push, refused: Refusal) -> Conclusion:
    """A repetition that is refused does not undo what the first sending may have done."""
    states = {
        RefusalKind.PERMANENT: DeliveryState.FAILED,
        RefusalKind.RETRY_AFTER: DeliveryState.QUEUED,
        RefusalKind.UNKNOWN: DeliveryState.UNKNOWN,
    }
    state = DeliveryState.UNKNOWN if push.repeats else states[refused.kind]
    return Conclusion(push, state, refused.kind.value, refused.errcode, again_at=refused.retry_at)


async def _gathered(ended: asyncio.Queue[Conclusion | None]) -> tuple[list[Conclusion], bool]:
    """All that waits a moment after something does; and whether the queue's end (None) was reached."""
    taken = [await ended.get()]
    if taken[0]:
        await asyncio.sleep(GATHER_SECONDS)
    while not ended.empty():
        taken.append(ended.get_nowait())
    return [conclusion for conclusion in taken if conclusion], taken[-1] is None
