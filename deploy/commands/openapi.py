"""The interface's description, for the front ends, which make their types from it."""

from typing import Annotated

import orjson
import typer


def document(audience: Annotated[str | None, typer.Option(help="mini, console, platform or wechat.")] = None) -> None:
    """Print the OpenAPI 3.1 document; it needs neither settings nor a database."""
    from api.app import collect  # noqa: PLC0415 — only this command needs every route
    from api.openapi import describe  # noqa: PLC0415

    routes = [route for route in collect() if audience in (None, route.audience)]
    print(orjson.dumps(describe(routes), option=orjson.OPT_INDENT_2).decode())
