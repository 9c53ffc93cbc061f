"""Other platforms call with a service token."""

from sanic import Request

from api.wire import Caller
from models import accounts
from models.base.errors import Unauthenticated


async def identify(request: Request) -> Caller:
    """Which platform calls. Raises Unauthenticated."""
    if not request.token:
        raise Unauthenticated("token_missing", "请带上服务令牌。")
    service = await accounts.service_of(request.token)
    return Caller(service.scope, service.feeds, service.scope.actor, service.token_id)
