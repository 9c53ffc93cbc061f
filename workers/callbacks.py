"""Working off what the WeChat platform pushed to us."""

import structlog

from gateways.wechat import Refusal
from models import callbacks, deliveries
from models.callbacks import Callback, CallbackState, Nobody
from workers.relay import Context, every

log = structlog.get_logger()
AT_A_TIME = 100


@every(seconds=1)
async def apply(context: Context) -> None:
    """Apply events, oldest first; one that cannot be applied yet comes back later."""
    while not context.stopping.is_set() and (taken := await callbacks.take(AT_A_TIME)):
        for callback in taken:
            await _apply(context, callback)


async def _apply(context: Context, callback: Callback) -> None:
    try:
        if callback.event.get("Event") == "subscribe":
            follower = await context.wechat.follower(str(callback.event["FromUserName"]))
            await callbacks.apply_following(callback, follower.unionid)
        else:
            await callbacks.apply(callback)
    except (Nobody, deliveries.OutcomeNotWritten):
        await callbacks.postpone(callback)
    except Refusal as refused:
        log.info("callback_postponed", kind=refused.kind, errcode=refused.errcode)
        await callbacks.postpone(callback)
    except (KeyError, TypeError, ValueError) as odd:
        log.warning("callback_dropped", event=str(callback.event.get("Event")), error=type(odd).__name__)
        await callbacks.finish(callback.id, CallbackState.DROPPED)
