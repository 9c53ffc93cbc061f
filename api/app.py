"""Composing the API: what it stands on, whom it serves, which concepts have routes."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from arq import create_pool
from arq.connections import RedisSettings
from sanic import Sanic

import api.console
import api.miniprogram
import api.platform
import api.wechat
from api import health, openapi
from api.observability import observer
from api.wire import Route, Routes
from api.wire.answering import serve
from api.wire.limiting import Limiter
from api.wire.problems import Problems
from api.wire.waking import Waker
from models.base import clock, database, logs
from models.base.settings import Settings

AUDIENCE_PACKAGES = (api.miniprogram, api.console, api.platform, api.wechat)
MEGABYTE = 2**20


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


def create_app(settings: Settings) -> Sanic:
    """The application, not yet connected: that happens in each server process as it starts."""
    app = Sanic("zhuoluo", error_handler=Problems(), configure_logging=False)
    app.config.update(
        REQUEST_MAX_SIZE=MEGABYTE,  # of a body nobody asked for; each route states its own bound
        REQUEST_BUFFER_SIZE=MEGABYTE,  # measured: a streamed upload is a quarter faster than with 64 KiB
        REQUEST_TIMEOUT=20,
        RESPONSE_TIMEOUT=120,
        KEEP_ALIVE_TIMEOUT=75,
        GRACEFUL_SHUTDOWN_TIMEOUT=10,
        FALLBACK_ERROR_FORMAT="json",
        MOTD=False,
        ACCESS_LOG=False,
    )
    app.ctx.settings = settings
    app.ctx.routes = collect()
    for route in app.ctx.routes:
        app.add_route(
            serve(route, observer(route)), route.path, methods=[route.method], name=route.name.replace(".", "_"), stream=True
        )
    app.before_server_start(_connect)
    app.after_server_stop(_disconnect)
    return app


async def _connect(app: Sanic) -> None:
    settings: Settings = app.ctx.settings
    logs.configure("api")
    clock.allow_moving(settings.clock_file)
    await database.connect(settings.database_url.get_secret_value(), pool=settings.database_pool)
    redis_url = settings.redis_url.get_secret_value()
    app.ctx.redis = await create_pool(RedisSettings.from_dsn(redis_url))
    app.ctx.waker = Waker(app.ctx.redis)
    app.ctx.limiter = Limiter(redis_url)


async def _disconnect(app: Sanic) -> None:
    await app.ctx.waker.close()
    await app.ctx.limiter.close()
    await app.ctx.redis.aclose()
    await database.disconnect()
