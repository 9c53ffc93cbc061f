"""Pushing: what is due is leased, sent side by side, and its outcomes are written together as they come in."""

import asyncio
from collections import Counter
from math import ceil
from typing import TypeVar
from uuid import UUID

from gateways.refusals import Refusal, RefusalKind
from models import deliveries, organization
from models.deliveries import Begun, Conclusion, DeliveryState, Push
from workers import metrics
from workers.channels import Channels
from workers.relay import Context, attempt, every, handles, wait

AT_ONCE = 200
"""Messages on their way at a time, of this worker; the transport takes 256 connections."""
LONGEST_TURN_SECONDS = 5
"""With a low rate fewer are on their way, so that none waits longer than this for its turn."""
SEND_SECONDS = 25
"""Less than a push's lease: nobody else sends to that person while this message may still leave."""
LEASED_AHEAD = 2
"""Times the messages under way that one lease takes: leasing costs many round trips, however few it gives."""
LOOK_AGAIN_SECONDS = 0.1
Value = TypeVar("Value")


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
    """Leasing, beginning and sending, concluding: three steps side by side, a queue between each and the next.

    Each takes all that waits for it in one statement, so that the more there is to do, the less each message costs.
    """

    def __init__(self, context: Context) -> None:
        self._channels, self._refusals = Channels(context), context.refusals
        self._template = context.settings.wechat.subscribe_template
        self._stopping = context.stopping
        self._free = min(AT_ONCE, ceil(context.settings.messages_per_second * LONGEST_TURN_SECONDS))
        self._room = asyncio.Event()
        self._room.set()
        self._leased: asyncio.Queue[Push | None] = asyncio.Queue(self._free)
        self._ended: asyncio.Queue[Conclusion | None] = asyncio.Queue()
        self._sending: set[asyncio.Task[None]] = set()
        self._unconcluded = 0
        """Leased, and neither given up nor concluded: more may become due by their end."""

    async def run(self) -> None:
        """Until nothing is due and all that was sent is concluded."""
        await asyncio.gather(self._lease(), self._begin(), self._conclude())

    async def _lease(self) -> None:
        """Ahead of the sending, so that no place waits for a lease."""
        while not self._stopping.is_set():
            leased = await attempt("deliveries.lease", self.lease(LEASED_AHEAD * self._leased.maxsize))
            self._unconcluded += len(leased or ())
            for push in leased or ():
                await self._leased.put(push)
            if not leased:
                if not self._unconcluded:
                    break
                await wait(self._stopping, LOOK_AGAIN_SECONDS)
        await self._leased.put(None)

    async def lease(self, limit: int) -> list[Push]:
        """Up to `limit` pushes of all zones."""
        leased: list[Push] = []
        for zone_id in await organization.zone_ids():
            if len(leased) < limit:
                leased += await deliveries.lease(zone_id, limit - len(leased), self._channels.configured)
        return leased

    async def _begin(self) -> None:
        """As many as there are free places, and not before: what has begun must leave within its lease."""
        over = False
        while not over:
            await self._room.wait()
            pushes, over = await _waiting(self._leased, self._free)
            leaving = await self._begun(pushes)
            self._unconcluded -= len(pushes) - len(leaving)
            for push, begun in leaving:
                self._free -= 1
                task = asyncio.create_task(self._push(push, begun))
                self._sending.add(task)
                task.add_done_callback(self._sending.discard)
            if not self._free:
                self._room.clear()
        if self._sending:
            await asyncio.wait(self._sending)  # the transport's own timeouts bound it
        self._ended.put_nowait(None)

    async def _begun(self, pushes: list[Push]) -> list[tuple[Push, Begun]]:
        """Those that leave now. Nothing may be left to tell; where the database fails, leases answer for all."""
        if self._stopping.is_set():
            await attempt("deliveries.give_back", deliveries.give_back(pushes))
            return []
        begun = await attempt("deliveries.begin", deliveries.begin(pushes, self._template)) if pushes else None
        return [(push, leaving) for push, leaving in zip(pushes, begun or (), strict=False) if leaving.carrier]

    async def _push(self, push: Push, begun: Begun) -> None:
        """Send one message. Where that fails in a way that nobody foresaw, its lease answers for it."""
        ended = await attempt("deliveries.push", self._send(push, begun))
        self._free += 1
        self._room.set()
        if ended is None:
            self._unconcluded -= 1
        else:
            self._ended.put_nowait(ended)

    async def _conclude(self) -> None:
        """Write outcomes as they come; where the database fails meanwhile, the leases answer for them."""
        over = False
        while not over:
            conclusions, over = await _waiting(self._ended, AT_ONCE)
            if not conclusions:  # a round that found nothing to send
                continue
            written = await attempt("deliveries.conclude", deliveries.conclude(conclusions, self._template))
            self._unconcluded -= len(conclusions)
            for (channel, state), times in Counter(written or ()).items():
                metrics.outcomes.labels(channel.value, state.value).inc(times)

    async def _send(self, push: Push, begun: Begun) -> Conclusion:
        assert begun.carrier
        try:
            async with asyncio.timeout(SEND_SECONDS):
                msgid = await self._channels.send(push.way, begun, begun.carrier)
        except Refusal as refused:
            await attempt("deliveries.alarm", self._refusals.tell(begun.channel, refused))
            return _refused(push, refused)
        except TimeoutError:
            return Conclusion(push, DeliveryState.UNKNOWN, RefusalKind.UNKNOWN.value)
        return Conclusion(push, DeliveryState.SENT, reason=self._channels.silence(push.way, begun), msgid=msgid)


def _refused(push: Push, refused: Refusal) -> Conclusion:
    """A repetition that is refused does not undo what the first sending may have done."""
    states = {
        RefusalKind.PERMANENT: DeliveryState.FAILED,
        RefusalKind.RETRY_AFTER: DeliveryState.QUEUED,
        RefusalKind.UNKNOWN: DeliveryState.UNKNOWN,
    }
    state = DeliveryState.UNKNOWN if push.repeats else states[refused.kind]
    return Conclusion(push, state, refused.kind.value, refused.errcode, again_at=refused.retry_at)


async def _waiting(queue: asyncio.Queue[Value | None], most: int) -> tuple[list[Value], bool]:
    """All that waits, up to `most`, as soon as something does; and whether the queue's end (None) was reached."""
    taken = list[Value]()
    while not taken or (len(taken) < most and not queue.empty()):
        value = await queue.get()
        if value is None:
            return taken, True
        taken.append(value)
    return taken, False
