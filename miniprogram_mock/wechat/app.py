"""Composition: one Sanic application around one World."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sanic import Sanic

from .calling import serve
from .endpoints import control, credentials, links, login, messaging, phone_side, safety, watching, wecom
from .local import local, preflight
from .settings import Settings
from .world import World

App = Sanic[Any, Any]
_LONGEST_HANG = 3700
PLATFORM = (*login.ROUTES, *credentials.ROUTES, *messaging.ROUTES, *links.ROUTES, *safety.ROUTES, *wecom.ROUTES)
LOCAL = (*phone_side.ROUTES, *control.ROUTES, *watching.ROUTES)


def make_app(settings: Settings) -> App:
    """The application, ready to run in a single process."""
    app = Sanic("wechat-mock")
    app.config.update(
        ACCESS_LOG=False,
        MOTD=False,
        AUTO_EXTEND=False,
        RESPONSE_TIMEOUT=_LONGEST_HANG,
        REQUEST_MAX_SIZE=4_000_000,
    )
    world = World(settings)
    _add_routes(app, world)
    _add_lifecycle(app, world)
    return app


def _add_routes(app: App, world: World) -> None:
    for route in PLATFORM:
        app.add_route(serve(world, route), route.path, [route.method], name=route.endpoint.__name__)
    for method, path, handler in LOCAL:
        app.add_route(local(world, handler), path, [method], name=f"{handler.__module__[-7:]}_{method}_{path}")
    for path in {path for _, path, _ in LOCAL}:
        app.add_route(preflight, path, ["OPTIONS"], name=f"preflight_{path}")
    app.add_route(watching.page, "/", ["GET"], name="page")


def _add_lifecycle(app: App, world: World) -> None:
    @app.before_server_start
    async def _open(app: App) -> None:
        await world.pusher.open()

    @app.after_server_start
    async def _tell(app: App) -> None:
        if world.settings.ready_file:
            _write_whole(Path(world.settings.ready_file), app.ctx.url)

    @app.before_server_stop
    async def _close(app: App) -> None:
        await world.pusher.close()


def _write_whole(path: Path, text: str) -> None:
    """Readers see nothing or all of it."""
    partial = path.with_suffix(".partial")
    partial.write_text(text)
    partial.replace(path)
