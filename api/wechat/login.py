"""What signing in needs of WeChat, with its refusals in our words."""

from typing import NoReturn

import structlog

from gateways.wechat import Refusal, RefusalKind, Session, WeChat
from models.base.errors import Invalid, Unavailable

log = structlog.get_logger("api.wechat")


class Login:
    """Codes of the mini-program into who somebody is."""

    def __init__(self, wechat: WeChat) -> None:
        self._wechat = wechat

    async def session(self, code: str) -> Session:
        """For `wx.login`'s code. Raises Invalid (`wechat_code_invalid`), Unavailable (`wechat_unavailable`)."""
        try:
            return await self._wechat.code2session(code)
        except Refusal as refused:
            _refuse(refused)

    async def phone(self, code: str) -> str:
        """For `getPhoneNumber`'s code, the number as in the roster. Raises as `session`."""
        try:
            return await self._wechat.phone_number(code)
        except Refusal as refused:
            _refuse(refused)


def _refuse(refused: Refusal) -> NoReturn:
    if refused.kind is RefusalKind.PERMANENT and not refused.alarm:
        raise Invalid("wechat_code_invalid", "微信凭证无效或已用过，请重新进入小程序再试。") from None
    log.warning("wechat.refused", kind=refused.kind, errcode=refused.errcode, alarm=refused.alarm)
    raise Unavailable("wechat_unavailable", "微信暂时没有答复，请稍后再试。", retry_after=5) from None
