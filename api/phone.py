"""A phone in the browser: the mini-program's H5 build, from the origin of the API that it speaks to.

For demos and tests; real phones run the build that WeChat delivers, and the settings refuse this one in production.
"""

from pathlib import Path

import orjson
from sanic import Blueprint, HTTPResponse, Request

from api.wire.headers import dress

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:;"
    " img-src 'self' data: blob:; connect-src 'self' {platform}; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
"""Styles are made by the component library while it runs; scripts never are."""


def phone(build: Path, platform: str) -> Blueprint:
    """`build` under `/phone/`; `platform` is the origin of the mock platform, which plays WeChat for the page."""
    routes = Blueprint("phone", url_prefix="/phone")
    policy = CONTENT_POLICY.format(platform=platform)
    told = orjson.dumps({"platform_origin": platform})

    async def config(request: Request) -> HTTPResponse:
        return HTTPResponse(told, content_type="application/json")

    async def guard(request: Request, response: HTTPResponse) -> None:
        response.headers["content-security-policy"] = policy
        response.headers["cache-control"] = "no-cache"  # asked about each time, and sent again only where it changed
        dress(request, response)

    routes.add_route(config, "/config.json", name="config")
    routes.static("/", build / "index.html", name="page", strict_slashes=True)
    routes.static("/", build, name="build", index="index.html")  # without one, a folder would be a fault of ours
    routes.on_response(guard)
    return routes
