"""Telling of refusals that a person must set right: a wrong secret, an address not allowed, a quota spent."""

from datetime import timedelta
from time import monotonic

from gateways.refusals import Refusal
from models.base import alarms, clock
from models.base.alarms import AlarmKind
from models.deliveries import Channel

TOLD_EVERY_SECONDS = 60
EXPECTED = timedelta(minutes=15)
"""For how long after the next try the alarm stays open: it is over when that try was not refused."""
MEANINGS = {
    40001: "凭证无效",
    40014: "凭证无效",
    42001: "凭证过期",
    40013: "账号编号有误",
    40125: "密钥有误",
    40164: "服务器地址不在平台白名单中",
    45009: "当天的额度已用完，明天恢复",
    401: "签名或密钥有误",
    402: "余额不足",
    403: "没有权限，或服务器地址不在白名单中",
}


class Refusals:
    """Of one process: each refusal is told at most once a minute, however many messages meet it."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}

    async def tell(self, channel: Channel, refused: Refusal) -> None:
        """Raise an alarm where the refusal is worth one."""
        subject = f"{channel.value}:{refused.errcode}"
        if not refused.alarm or monotonic() - self._told.get(subject, -TOLD_EVERY_SECONDS) < TOLD_EVERY_SECONDS:
            return
        self._told[subject] = monotonic()
        until = (refused.retry_at or clock.now()) + EXPECTED
        detail = MEANINGS.get(refused.errcode or 0, "平台拒绝，需要人处理")
        await alarms.raise_until(AlarmKind.PLATFORM_REFUSES, subject, f"{refused.errcode}：{detail}", until)
