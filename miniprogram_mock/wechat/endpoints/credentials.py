"""Access tokens, over HTTP."""

from __future__ import annotations

from ..calling import Call, Route
from ..errors import Refusal
from ..tokens import Token
from ..world import World
from .login import check_account

STABLE_PER_MINUTE, STABLE_PER_DAY, PLAIN_PER_DAY = 10_000, 500_000, 2_000


def stable_token(world: World, call: Call) -> dict[str, object]:
    """POST /cgi-bin/stable_token."""
    body = call.body
    account = check_account(world, body.get("appid"), body.get("secret"))
    _check_grant(body.get("grant_type"))
    world.quotas.per_day(f"stable_token:{account}", STABLE_PER_DAY)
    world.quotas.per_minute(f"stable_token:{account}", STABLE_PER_MINUTE)
    return _shown(world, world.tokens.stable(account, force=body.get("force_refresh") is True))


def plain_token(world: World, call: Call) -> dict[str, object]:
    """GET /cgi-bin/token."""
    arguments = call.request.args
    account = check_account(world, arguments.get("appid"), arguments.get("secret"))
    _check_grant(arguments.get("grant_type"))
    world.quotas.per_day(f"token:{account}", PLAIN_PER_DAY)
    return _shown(world, world.tokens.plain(account))


def _check_grant(grant_type: object) -> None:
    if grant_type != "client_credential":
        raise Refusal(40097, "invalid grant_type")


def _shown(world: World, token: Token) -> dict[str, object]:
    return {"access_token": token.value, "expires_in": int(token.expires_at - world.clock.now())}


ROUTES = (
    Route("POST", "/cgi-bin/stable_token", stable_token),
    Route("GET", "/cgi-bin/token", plain_token),
)
