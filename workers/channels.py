"""The channels behind one call: what a message says on each, and which ones may repeat it under its key.

No name, unit, number, amount or title leaves: a count, and an opaque reference (domain.md §4).
"""

from collections.abc import Awaitable, Callable

from gateways.refusals import Refusal, RefusalKind
from models.deliveries import Channel, Push
from workers.relay import Context

TRIES = 3
"""Of a message whose key the other side knows again, before its outcome is unknown."""
PAGE = "pages/reminders/inbox?r={reference}"
TEXT = "您有{count}项待办，请进入小程序查看"
TEXT_WITH_REFERENCE = TEXT + "（编号{reference}）"
"""WeCom takes the same text twice for a repeat, so each message has its own."""
MOST_TOLD = 99


class Channels:
    """Everything that this installation can send over."""

    def __init__(self, context: Context) -> None:
        self._wechat, self._wecom, self._sms = context.wechat, context.wecom, context.sms
        self._templates = context.settings.wechat
        offered = {Channel.WECOM: self._wecom, Channel.SMS: self._sms}
        off = {channel for channel, gateway in offered.items() if gateway is None}
        self.configured = frozenset(set(Channel) - {Channel.IN_APP} - off)

    async def send(self, push: Push) -> str | None:
        """The other side's message id, where it tells one. The carrier's id is the message's key. Raises Refusal."""
        key, count = push.carrier.hex, min(push.count, MOST_TOLD)
        page, data, address = PAGE.format(reference=key), {"thing1": TEXT.format(count=count)}, push.way.address or ""
        match push.channel:
            case Channel.SUBSCRIBE:
                assert push.way.openid
                template = self._templates.subscribe_template
                return await self._wechat.send_subscribe(push.way.openid, template, page, data)
            case Channel.TEMPLATE:
                template = self._templates.service_template
                return await _repeating(lambda: self._wechat.send_template(address, template, data, key, page))
            case Channel.WECOM:
                assert self._wecom
                wecom, text = self._wecom, TEXT_WITH_REFERENCE.format(count=count, reference=key[-12:])
                return await _repeating(lambda: wecom.send_text(address, text))
            case Channel.SMS:
                assert self._sms
                sms, params = self._sms, {"count": str(count)}
                return await _repeating(lambda: sms.send(address, params, key))
            case Channel.IN_APP:
                return None  # the inbox has the reminder already, and no other way is open

    def silence(self, push: Push) -> str | None:
        """Why a message did not leave for any phone; None where it did."""
        return push.way.unreachable or "no_consent" if push.channel is Channel.IN_APP else None


async def _repeating(send: Callable[[], Awaitable[str]]) -> str:
    """Sent under the same key until an answer comes, up to `TRIES` times. Raises Refusal.

    Once no answer came it may have been sent, so that a repetition that is refused changes nothing: tried again after
    the other side has forgotten the key, it would arrive twice.
    """
    lost: Refusal | None = None
    for _ in range(TRIES):
        try:
            return await send()
        except Refusal as refused:
            if refused.kind is not RefusalKind.UNKNOWN:
                raise lost or refused from None
            lost = refused
    assert lost
    raise lost
