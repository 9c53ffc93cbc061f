"""Ways into the mini-program from outside: a printed code, and a link in a text message."""

from __future__ import annotations

import re
import secrets
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw

from ..calling import OK, Call, Route
from ..errors import Refusal
from ..world import World

CODES_PER_MINUTE = 5000
_SCENE = re.compile(r"[0-9A-Za-z!#$&'()*+,/:;=?@\-._~]{1,32}")
_STATES = ("release", "trial", "develop")
_CELLS = 25


def code_image(world: World, call: Call) -> bytes:
    """POST /wxa/getwxacodeunlimit: image bytes, JPEG, or PNG when transparent."""
    body = call.body
    if not isinstance(body.get("scene"), str) or not _SCENE.fullmatch(body["scene"]):
        raise Refusal(40129)
    page = body.get("page", "")
    if not isinstance(page, str) or page.startswith("/") or "?" in page:
        raise Refusal(41030)
    width = body.get("width", 430)
    if not isinstance(width, int) or not 280 <= width <= 1280 or body.get("env_version", "release") not in _STATES:
        raise Refusal(40097)
    world.quotas.per_minute("wxacode", CODES_PER_MINUTE)
    _keep(world, {"kind": "wxacode", "scene": body["scene"], "page": page, "query": "", "url_link": ""})
    transparent = body.get("is_hyaline") is True
    call.media_type = "image/png" if transparent else "image/jpeg"
    return draw_code(body["scene"], width, "PNG" if transparent else "JPEG")


@lru_cache(maxsize=500)
def draw_code(scene: str, width: int, form: str) -> bytes:
    """A picture that looks like a code: a pattern made from the scene, which is written underneath."""
    image = Image.new("RGB", (width, width), "white")
    draw = ImageDraw.Draw(image)
    cell = width // (_CELLS + 4)
    bits = int.from_bytes(b"".join(sha256(f"{scene}{i}".encode()).digest() for i in range(3)))
    for index in range(_CELLS * _CELLS):
        if bits >> index & 1:
            left, top = cell * (2 + index % _CELLS), cell * (1 + index // _CELLS)
            draw.rectangle((left, top, left + cell - 1, top + cell - 1), fill="#1D2129")
    draw.text((cell * 2, cell * (_CELLS + 2)), scene, fill="#1D2129")
    buffer = BytesIO()
    image.save(buffer, form)
    return buffer.getvalue()


def url_link(world: World, call: Call) -> dict[str, object]:
    """POST /wxa/generate_urllink: a link that opens a page until it expires."""
    body = call.body
    path, query = body.get("path", ""), body.get("query", "")
    if not isinstance(path, str) or path.startswith("/"):
        raise Refusal(40165)
    if not isinstance(query, str) or len(query) > 1024:
        raise Refusal(40212, "invalid query")
    if body.get("env_version", "release") not in _STATES:
        raise Refusal(40097)
    link = f"https://wxaurl.cn/{secrets.token_urlsafe(8)}"
    expiry = {"expires_at": _expires_at(world, body), "env_version": body.get("env_version", "release")}
    _keep(world, {"kind": "urllink", "scene": "", "page": path, "query": query, "url_link": link} | expiry)
    return OK | {"url_link": link}


def _expires_at(world: World, body: dict[str, Any]) -> float:
    """A moment (`expire_type` 0) or a number of days (1), within 30 days from now."""
    now, name = world.clock.now(), "expire_interval" if body.get("expire_type", 0) == 1 else "expire_time"
    value = body.get(name, 30 if name == "expire_interval" else now + 30 * 86_400)
    if not isinstance(value, int | float):
        raise Refusal(85401)
    at = now + value * 86_400 if name == "expire_interval" else value
    if not now < at <= now + 30 * 86_400:
        raise Refusal(85401)
    return at


def _keep(world: World, link: dict[str, Any]) -> None:
    world.links.append(link | {"at": world.clock.now()})


ROUTES = (
    Route("POST", "/wxa/getwxacodeunlimit", code_image, account="mini"),
    Route("POST", "/wxa/generate_urllink", url_link, account="mini"),
)
