"""What the product asks of WeChat: who signs in, their number, messages, site codes, content checks."""

from dataclasses import dataclass, field
from typing import Any, Literal

from redis.asyncio import Redis
from wechatpy.client.api import WeChatUser, WeChatWxa

from gateways.exchange import readable
from gateways.pace import UNHURRIED, Pace
from gateways.refusals import Refusal, RefusalKind
from gateways.wechat.account import Account, stable_token
from gateways.wechat.refusals import NOT_VISITED_LATELY
from gateways.wechat.transport import Transport
from models.base.settings import WeChatSettings

COMMENT = 2
"""`scene` of the content checks that fits what cadres write (1 profile, 2 comment, 3 forum, 4 social log)."""
ENVIRONMENTS = {"developer": "develop", "trial": "trial", "formal": "release"}
"""`miniprogram_state` → the same thing as site codes spell it (`env_version`)."""


@dataclass(frozen=True, slots=True)
class Session:
    """Who signed in. `session_key` never goes to a client; `unionid` is None where no open-platform account binds."""

    openid: str
    unionid: str | None
    session_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Follower:
    """Somebody as the service account knows them; `unionid` tells who they are in the mini-program."""

    openid: str
    unionid: str | None
    following: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the platform thinks of a content: `pass`, `review` (a person should look) or `risky`."""

    suggest: str
    label: int | None = None
    trace_id: str | None = None


class WeChat:
    """Both accounts of the zone's operator. Every method raises Refusal; make one per process and `close` it.

    Each account sends at most `messages_per_second` from this process.
    """

    def __init__(self, settings: WeChatSettings, redis: "Redis", messages_per_second: float = UNHURRIED) -> None:
        self._settings = settings
        self._transport = Transport(settings.origin)
        secret, service_secret = settings.secret.get_secret_value(), settings.service_secret.get_secret_value()
        self._mini = Account(self._transport, stable_token(settings.appid, secret), redis, secret=secret)
        self._service = Account(self._transport, stable_token(settings.service_appid, service_secret), redis)
        self._mini_pace, self._service_pace = Pace(messages_per_second), Pace(messages_per_second)
        self._wxa, self._users = WeChatWxa(self._mini), WeChatUser(self._service)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._transport.close()

    async def code2session(self, code: str) -> Session:
        """Who `wx.login` gave `code` to. A code works once, for five minutes (40029); 40226 is a high-risk user."""
        answer = await self._wxa.code_to_session(code)
        with readable():
            return Session(answer["openid"], answer.get("unionid"), answer["session_key"])

    async def phone_number(self, code: str) -> str:
        """The mainland number, 11 digits, behind the code of the `getPhoneNumber` button (works once, five minutes)."""
        answer = await self._mini.post("business/getuserphonenumber", {"code": code}, api_base_url="/wxa/")
        with readable():
            phone = answer["phone_info"]
            number, country, appid = phone["purePhoneNumber"], phone["countryCode"], phone["watermark"]["appid"]
        if appid != self._mini.appid or str(country) != "86":
            raise Refusal(RefusalKind.PERMANENT, reason="not a mainland number of this mini-program")
        return str(number)

    async def send_subscribe(self, openid: str, template: str, page: str, data: dict[str, str]) -> str | None:
        """One subscribe message; `data` maps the template's fields to their values. The message id, if one is told.

        The platform takes no idempotency key here: never repeat an `unknown`. Calls to one openid must not overlap
        (43108).
        """
        message = {
            "touser": openid,
            "template_id": template,
            "page": page,
            "miniprogram_state": self._settings.miniprogram_state,
            "lang": "zh_CN",
            "data": _values(data),
        }
        await self._mini_pace.turn()
        msgid = (await self._mini.post("message/subscribe/send", message)).get("msgid")
        return str(msgid) if msgid else None

    async def send_template(
        self, openid: str, template: str, data: dict[str, str], client_msg_id: str, page: str
    ) -> str:
        """One template message of the service account, to its own `openid`; answers the platform's message id.

        Repeating with the same `client_msg_id` within ten minutes sends once.
        """
        message = {
            "touser": openid,
            "template_id": template,
            "client_msg_id": client_msg_id,
            "miniprogram": {"appid": self._settings.appid, "pagepath": page},
            "data": _values(data),
        }
        await self._service_pace.turn()
        return str((await self._service.post("message/template/send", message)).get("msgid", ""))

    async def follower(self, service_openid: str) -> Follower:
        """How the service account knows an openid of its own."""
        answer = await self._users.get(service_openid)
        return Follower(service_openid, answer.get("unionid"), bool(answer.get("subscribe")))

    async def site_code(self, scene: str, page: str) -> bytes:
        """The picture (JPEG or PNG) of a mini-program code that opens `page` with `scene` (≤ 32 characters)."""
        wanted = {
            "scene": scene,
            "page": page,
            "check_path": False,  # the page may be newer than the published version
            "env_version": ENVIRONMENTS[self._settings.miniprogram_state],
            "width": 430,
        }
        picture = await self._mini.post("getwxacodeunlimit", wanted, api_base_url="/wxa/")
        if not isinstance(picture, bytes):
            raise Refusal(RefusalKind.UNKNOWN, reason="answer is not a picture")
        return picture

    async def check_text(self, openid: str, content: str) -> Verdict:
        """Whether `content` (≤ 2,500 characters) may be shown.

        The platform judges only people who visited within two hours; a text that was written offline is `review`.
        """
        wanted = {"version": 2, "openid": openid, "scene": COMMENT, "content": content}
        try:
            return _verdict(await self._mini.post("msg_sec_check", wanted, api_base_url="/wxa/"))
        except Refusal as refused:
            if refused.errcode == NOT_VISITED_LATELY:
                return Verdict("review")
            raise

    async def check_media(self, openid: str, url: str) -> str:
        """Ask for a judgement of the picture at `url` (≤ 10 MB); the trace id of the event to come."""
        wanted = {"version": 2, "openid": openid, "scene": COMMENT, "media_type": 2, "media_url": url}
        answer = await self._mini.post("media_check_async", wanted, api_base_url="/wxa/")
        with readable():
            return str(answer["trace_id"])


def _values(data: dict[str, str]) -> dict[str, dict[Literal["value"], str]]:
    return {name: {"value": value} for name, value in data.items()}


def _verdict(answer: dict[str, Any]) -> Verdict:
    with readable():
        result = answer["result"]
        return Verdict(result["suggest"], result.get("label"), answer.get("trace_id"))
