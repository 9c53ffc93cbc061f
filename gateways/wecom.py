"""WeCom (企业微信): messages of the operator's own app to members of its corporation, named by userid.

Published documentation: 获取 access_token, 发送应用消息. Same form as WeChat's platform, another origin and token.
"""

from redis.asyncio import Redis

from gateways.pace import UNHURRIED, Pace
from gateways.refusals import Refusal, RefusalKind
from gateways.wechat.account import Account, Credential
from gateways.wechat.transport import Transport
from models.base.settings import WeComSettings

DUPLICATES_SECONDS = 1800


class WeCom:
    """One app of one corporation. Make one per process and `close` it."""

    def __init__(self, settings: WeComSettings, redis: "Redis", messages_per_second: float = UNHURRIED) -> None:
        secret = settings.secret.get_secret_value()
        asked = {"corpid": settings.corpid, "corpsecret": secret}
        # a corporation has a token for each of its apps
        credential = Credential(f"{settings.corpid}:{settings.agentid}", "GET", "/cgi-bin/gettoken", asked)
        self._agentid, self._transport = settings.agentid, Transport(settings.origin)
        self._app, self._pace = Account(self._transport, credential, redis), Pace(messages_per_second)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._transport.close()

    async def send_text(self, userid: str, content: str) -> str:
        """One text (≤ 2,048 bytes); the platform's message id. Raises Refusal.

        The same text to the same userid within half an hour arrives once: what must arrive twice must differ. A userid
        that is unknown or outside the app's visible range is refused (81013), or named beside an answer that says ok.
        """
        message = {
            "touser": userid,
            "msgtype": "text",
            "agentid": self._agentid,
            "text": {"content": content},
            "enable_duplicate_check": 1,
            "duplicate_check_interval": DUPLICATES_SECONDS,
        }
        await self._pace.turn()
        answer = await self._app.post("message/send", message)
        if answer.get("invaliduser") or answer.get("unlicenseduser"):
            raise Refusal(RefusalKind.PERMANENT, reason="userid is not in the app's visible range")
        return str(answer.get("msgid", ""))
