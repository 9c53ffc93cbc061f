"""Pushing: leases what is due, sends it side by side, writes outcomes together as they come in."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from gateways.wechat import Refusal, RefusalKind
from models import deliveries, organization
from models.base.together import Together
from models.deliveries import Begun, Channel, Conclusion, DeliveryState, Push
from workers import metrics
from workers.relay import Context, attempt, every, handles

AT_ONCE = 200
"""Messages on their way at a time, of this worker; the transport takes 256 connections."""
LOOK_AGAIN_SECONDS = 0.25
TEMPLATE_TRIES = 3
PAGE = "pages/inbox?r={reference}"
TEXT = "您有{count}项待办，请进入小程序查看"
MOST_TOLD = 99


@handles(deliveries.CREDIT_REPORT)
async def credit_report(context: Context, zone_id: UUID, payload: dict[str, str]) -> None:
    """A phone's own word on its consent counts where the platform's event did not come."""
    await deliveries.credit_report(zone_id, **payload)


@every(seconds=5)
async def recover(context: Context) -> None:
    """Settle what workers held that are gone."""
    for zone_id in await organization.zone_ids():
        await deliveries.recover(zone_id)


@every(seconds=1)
async def push(context: Context) -> None:
    """Send all that is due. A message that hangs holds up only its own place."""
    pushing = Pushing(context)
    under_way: set[asyncio.Task[None]] = set()
    while not context.stopping.is_set():
        leased = await attempt("deliveries.lease", _lease(AT_ONCE - len(under_way)))
        under_way |= {asyncio.create_task(pushing.push(one)) for one in leased or ()}
        if not under_way:
            return
        _, under_way = await asyncio.wait(under_way, timeout=LOOK_AGAIN_SECONDS)
    if under_way:
        await asyncio.wait(under_way)  # the transport's own timeouts bound it


async def _lease(free: int) -> list[Push]:
    leased: list[Push] = []
    for zone_id in await organization.zone_ids():
        if len(leased) < free:
            leased += await deliveries.lease(zone_id, free - len(leased))
    return leased


class Pushing:
    """One push at a time, a thousand times: begun and concluded in statements that they share."""

    def __init__(self, context: Context) -> None:
        self._wechat, self._templates = context.wechat, context.settings.wechat
        self._begin = Together(self._begin_all)
        self._conclude = Together(self._conclude_all)

    async def push(self, push: Push) -> None:
        """Send one message and write its outcome; where the database fails meanwhile, its lease answers for it."""
        await attempt("deliveries.push", self._push(push))

    async def _push(self, push: Push) -> None:
        begun = await self._begin.ask(push)
        if begun.carrier is not None:
            await self._conclude.ask(await self._send(push, begun, begun.carrier))

    async def _begin_all(self, pushes: Sequence[Push]) -> Sequence[Begun]:
        return await deliveries.begin(pushes, self._templates.subscribe_template)

    async def _conclude_all(self, conclusions: Sequence[Conclusion]) -> Sequence[None]:
        for channel, state in await deliveries.conclude(conclusions, self._templates.subscribe_template):
            metrics.outcomes.labels(channel.value, state.value).inc()
        return [None] * len(conclusions)

    async def _send(self, push: Push, begun: Begun, carrier: UUID) -> Conclusion:
        try:
            msgid = await self._over_channel(push, begun, carrier)
        except Refusal as refused:
            return _refused(push, refused)
        reason = None
        if begun.channel is Channel.IN_APP:
            reason = "no_consent" if push.openid else "not_bound"
        return Conclusion(push, DeliveryState.SENT, reason=reason, msgid=msgid)

    async def _over_channel(self, push: Push, begun: Begun, carrier: UUID) -> str | None:
        page = PAGE.format(reference=carrier.hex)
        data = {"thing1": TEXT.format(count=min(begun.count, MOST_TOLD))}
        match begun.channel:
            case Channel.SUBSCRIBE:
                assert push.openid
                await self._wechat.send_subscribe(push.openid, self._templates.subscribe_template, page, data)
            case Channel.TEMPLATE:
                assert push.service_openid
                return await self._send_template(push.service_openid, data, carrier, page)
            case Channel.IN_APP:
                pass  # the inbox has the reminder already, and no other way is open
        return None

    async def _send_template(self, openid: str, data: dict[str, str], carrier: UUID, page: str) -> str:
        """Unlike a subscribe message it may be repeated: the platform sends a `client_msg_id` once.

        Once no answer came it may have been sent, so that a repetition that is refused changes nothing: tried again
        after the platform has forgotten the id, it would arrive twice.
        """
        template, lost = self._templates.service_template, None
        for _ in range(TEMPLATE_TRIES):
            try:
                return await self._wechat.send_template(openid, template, data, carrier.hex, page)
            except Refusal as refused:
                if refused.kind is not RefusalKind.UNKNOWN:
                    raise lost or refused from None
                lost = refused
        assert lost
        raise lost


def _refused(push: Push, refused: Refusal) -> Conclusion:
    state = {
        RefusalKind.PERMANENT: DeliveryState.FAILED,
        RefusalKind.RETRY_AFTER: DeliveryState.QUEUED,
        RefusalKind.UNKNOWN: DeliveryState.UNKNOWN,
    }[refused.kind]
    return Conclusion(push, state, refused.kind.value, refused.errcode, again_at=refused.retry_at)
