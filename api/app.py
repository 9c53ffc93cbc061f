"""Composing the API: what it stands on, whom it serves, which concepts have routes."""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import ModuleType

from arq import ArqRedis
from sanic import Sanic

import api.console.sign_in
import api.miniprogram.sign_in
import api.platform.sign_in
import api.wechat
from api import health, openapi
from api.observability import observer
from api.phone import phone
from api.wechat.login import Login
from api.wire import Route, Routes
from api.wire.answering import serve
from api.wire.callers import Identify
from api.wire.limiting import Limiter
from api.wire.problems import UNREACHABLE, Problems
from api.wire.waking import Waker
from gateways import store
from gateways.wechat import WeChat
from gateways.wechat.callbacks import Receiver
from models.accounts import Accesses, Signer
from models.base import audit, clock, database, logs
from models.base.settings import Settings, WeChatSettings

IDENTIFY: dict[str, Identify] = {
    "mini": api.miniprogram.sign_in.identify,
    "console": api.console.sign_in.identify,
    "platform": api.platform.sign_in.identify,
}
AUDIENCE_PACKAGES = (api.miniprogram, api.console, api.platform, api.wechat)
MEGABYTE = 2**20
CONFIG = {
    "REQUEST_MAX_SIZE": MEGABYTE,  # of a body that nobody reads; each route states its own bound
    "REQUEST_BUFFER_SIZE": 64 * 1024,  # measured: 1 MiB takes four times the memory of 200 uploads, and is no faster
    "REQUEST_TIMEOUT": 20,
    "RESPONSE_TIMEOUT": 120,
    "KEEP_ALIVE_TIMEOUT": 75,
    "GRACEFUL_SHUTDOWN_TIMEOUT": 10,
    "MOTD": False,
    "ACCESS_LOG": False,
}


def collect() -> list[Route]:
    """Every route of every concept, in the order of audiences and concepts."""
    routes: list[Route] = [*health.routes, *openapi.routes]
    for package in AUDIENCE_PACKAGES:
        for module in _modules(package):
            found = getattr(module, "routes", ())
            routes += found if isinstance(found, Routes) else [route for part in found for route in part]
    return routes


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(package.__path__):
        yield importlib.import_module(f"{package.__name__}.{found.name}")


def create_app(settings: Settings, routes: Iterable[Route] | None = None) -> Sanic:
    """The application over `routes` (default: all), not yet connected: each server process does that as it starts."""
    app = Sanic("zhuoluo", error_handler=Problems(), configure_logging=False)
    app.config.update(CONFIG, PROXIES_COUNT=settings.proxies or None)
    app.ctx.settings = settings
    app.ctx.signer = Signer(settings.signing_key.get_secret_value())
    app.ctx.identify = IDENTIFY
    app.ctx.routes = collect() if routes is None else list(routes)
    app.ctx.documents = {}
    for route in app.ctx.routes:
        handler = serve(route, observer(route))
        methods = ("GET", "HEAD") if route.method == "GET" else (route.method,)
        # Every handler streams: the wire reads the body itself, after the caller is known and up to the route's bound.
        app.add_route(handler, route.path, methods=methods, name=route.name.replace(".", "_"), stream=True)
    if settings.phone_dir is not None:
        app.blueprint(phone(settings.phone_dir, settings.wechat.origin))
    app.before_server_start(_connect)
    app.after_server_stop(_disconnect)
    return app


async def _connect(app: Sanic) -> None:
    settings: Settings = app.ctx.settings
    logs.configure("api")
    clock.allow_moving(settings.clock_file)
    await database.connect(settings.database_url.get_secret_value(), pool=settings.database_pool)
    with suppress(*UNREACHABLE):  # then it is not ready, and says so
        await audit.refuse_lost_place()
    redis_url = settings.redis_url.get_secret_value()
    app.ctx.redis = ArqRedis.from_url(
        redis_url, socket_timeout=2, socket_connect_timeout=1
    )  # lazily: Redis may be away
    app.ctx.waker = Waker(app.ctx.redis)
    app.ctx.limiter = Limiter(redis_url)
    app.ctx.accesses = Accesses()
    app.ctx.store = await store.opened(settings)
    app.ctx.wechat = WeChat(settings.wechat, app.ctx.redis)
    app.ctx.login = Login(app.ctx.wechat)
    app.ctx.receivers = _receivers(settings.wechat)


def _receivers(wechat: WeChatSettings) -> list[Receiver]:
    """One for each account that may push, which what is encrypted names; none without a token to check."""
    token, key = wechat.callback_token.get_secret_value(), wechat.callback_aes_key.get_secret_value()
    appids = dict.fromkeys((wechat.appid, wechat.service_appid)) if token else ()
    return [Receiver(token, key, appid) for appid in appids if appid]


async def _disconnect(app: Sanic) -> None:
    await app.ctx.waker.close()
    await app.ctx.wechat.close()
    await app.ctx.limiter.close()
    await app.ctx.redis.aclose()
    await database.disconnect()
