"""Login and phone number: a phone's single-use code becomes an identity."""

from __future__ import annotations

import base64
import hashlib
import secrets

from ..calling import OK, Call, Route
from ..errors import Refusal
from ..world import World

LOGINS_PER_MINUTE = 100


def check_account(world: World, appid: object, secret: object) -> str:
    """The account (`mini` or `service`) with these credentials; raises Refusal 41002, 41004, 40013 or 40125."""
    settings = world.settings
    if not appid or not secret:
        raise Refusal(41004 if appid else 41002)
    accounts = {
        settings.appid: ("mini", settings.secret),
        settings.service_appid: ("service", settings.service_secret),
    }
    if appid not in accounts:
        raise Refusal(40013)
    account, right = accounts[str(appid)]
    if secret != right:
        raise Refusal(40125)
    return account


def code_to_session(world: World, call: Call) -> dict[str, object]:
    """GET /sns/jscode2session."""
    arguments = call.request.args
    if check_account(world, arguments.get("appid"), arguments.get("secret")) != "mini":
        raise Refusal(40013)
    phone = world.phones.require(world.codes.redeem("login", arguments.get("js_code")))
    world.quotas.per_minute(f"login:{phone.openid}", LOGINS_PER_MINUTE)
    if phone.high_risk:
        raise Refusal(40226)
    session_key = base64.b64encode(secrets.token_bytes(16)).decode()
    session: dict[str, object] = {"session_key": session_key, "openid": phone.openid}
    return session | ({"unionid": phone.unionid} if phone.unionid else {})


def phone_number(world: World, call: Call) -> dict[str, object]:
    """POST /wxa/business/getuserphonenumber."""
    openid = world.codes.redeem("phone", call.body.get("code"))
    if call.body.get("openid", openid) != openid:
        raise Refusal(40029)
    phone = world.phones.require(openid)
    info = {
        "phoneNumber": phone.number,
        "purePhoneNumber": phone.number,
        "countryCode": _country_code(phone.number),
        "watermark": {"timestamp": int(world.clock.now()), "appid": world.settings.appid},
    }
    return OK | {"phone_info": info}


def _country_code(number: str) -> str | int:
    # Both spellings have been seen; which one comes depends on the number, so runs stay repeatable.
    return 86 if hashlib.sha256(number.encode()).digest()[0] % 2 else "86"


ROUTES = (
    Route("GET", "/sns/jscode2session", code_to_session),
    Route("POST", "/wxa/business/getuserphonenumber", phone_number, account="mini"),
)
