"""How a call reaches the platform, and one reading of its answers."""

from typing import Any

import orjson
import structlog

from gateways.exchange import Exchange, Reply, readable, refuse_status
from gateways.refusals import Refusal, no_answer
from gateways.wechat.refusals import refusal_of

log = structlog.get_logger()


class Transport(Exchange):
    """Calls in the platform's own form: parameters in the query, JSON bodies, errors under HTTP 200."""

    async def call(self, method: str, path: str, params: dict[str, Any], body: dict[str, Any] | None) -> Any:
        """The JSON object, or the bytes of a picture, that the platform answers. Raises Refusal."""
        try:
            content = None if body is None else orjson.dumps(body)
            return _read(await self.ask(method, path, params=params, content=content))
        except Refusal as refusal:
            _tell(path, refusal)
            raise


def _read(reply: Reply) -> Any:
    refuse_status(reply.status)
    if reply.content_type.startswith("image/"):
        return reply.content
    try:
        answer = orjson.loads(reply.content)
    except orjson.JSONDecodeError:
        raise no_answer("answer is not JSON") from None
    if not isinstance(answer, dict):
        raise no_answer("answer is not an object")
    with readable():
        errcode = int(answer.get("errcode") or 0)
    if errcode:
        raise refusal_of(errcode, str(answer.get("errmsg", "")))
    return answer


def _tell(path: str, refusal: Refusal) -> None:
    tell = log.error if refusal.alarm else log.info
    tell("wechat.refused", path=path, kind=refusal.kind, errcode=refusal.errcode, reason=refusal.reason)
