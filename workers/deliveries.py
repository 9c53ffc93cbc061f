"""Pushing: leases what is due, sends it side by side, writes outcomes together as they come in."""

import asyncio
from collections.abc import Sequence
from math import ceil
from uuid import UUID

from gateways.refusals import Refusal, RefusalKind
from models import deliveries, organization
from models.base.together import Together
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
LOOK_AGAIN_SECONDS = 0.25


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
    """One push at a time, a thousand times: begun and concluded in statements that they share."""

    def __init__(self, context: Context) -> None:
        self._channels, self._refusals = Channels(context), context.refusals
        self._template = context.settings.wechat.subscribe_template
        self._stopping = context.stopping
        self._at_once = min(AT_ONCE, ceil(context.settings.messages_per_second * LONGEST_TURN_SECONDS))
        self._places = asyncio.Semaphore(self._at_once)
        self._under_way: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()
        self._begin = Together(self._begin_all, most=AT_ONCE)
        self._conclude = Together(self._conclude_all, most=AT_ONCE)

    async def run(self) -> None:
        """Lease and send until nothing is due. The next ones are leased while these are sent, so that none waits."""
        while not self._stopping.is_set():
            self._room.clear()
            leased = await attempt("deliveries.lease", self.lease(2 * self._at_once - len(self._under_way)))
            for one in leased or ():
                task = asyncio.create_task(self.push(one))
                self._under_way.add(task)
                task.add_done_callback(self._done)
            if not self._under_way:
                return
            if leased:
                await wait(self._room, LOOK_AGAIN_SECONDS)
            else:
                await asyncio.wait(self._under_way, timeout=LOOK_AGAIN_SECONDS)
        if self._under_way:
            await asyncio.wait(self._under_way)  # the transport's own timeouts bound it

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if len(self._under_way) <= self._at_once:
            self._room.set()

    async def lease(self, free: int) -> list[Push]:
        """Up to `free` pushes of all zones."""
        leased: list[Push] = []
        for zone_id in await organization.zone_ids():
            if len(leased) < free:
                leased += await deliveries.lease(zone_id, free - len(leased), self._channels.configured)
        return leased

    async def push(self, push: Push) -> None:
        """Send one message and write its outcome; where the database fails meanwhile, its lease answers for it."""
        await attempt("deliveries.push", self._push(push))

    async def _push(self, push: Push) -> None:
        async with self._places:  # not before: what has begun must leave within its lease
            begun = await self._begin.ask(push)
            ended = None if begun.carrier is None else await self._send(push, begun, begun.carrier)
        if ended is not None:
            await self._conclude.ask(ended)

    async def _begin_all(self, pushes: Sequence[Push]) -> Sequence[Begun]:
        return await deliveries.begin(pushes, self._template)

    async def _conclude_all(self, conclusions: Sequence[Conclusion]) -> Sequence[None]:
        for channel, state in await deliveries.conclude(conclusions, self._template):
            metrics.outcomes.labels(channel.value, state.value).inc()
        return [None] * len(conclusions)

    async def _send(self, push: Push, begun: Begun, carrier: UUID) -> Conclusion:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                msgid = await self._channels.send(push.way, begun, carrier)
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
