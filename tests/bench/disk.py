"""The limit of an upload: a bare Sanic that hashes what it is sent and writes it to the disk, and nothing else."""

import argparse
import hashlib
import os
from pathlib import Path
from uuid import uuid4

from sanic import HTTPResponse, Request, Sanic

MEGABYTE = 2**20


def create_app(folder: Path) -> Sanic:
    """The bare server; it takes in a megabyte at a time, as the product does."""
    app = Sanic("disk", configure_logging=False)
    app.config.update({"REQUEST_MAX_SIZE": 64 * MEGABYTE, "REQUEST_BUFFER_SIZE": MEGABYTE, "MOTD": False})
    folder.mkdir(parents=True, exist_ok=True)

    async def take(request: Request) -> HTTPResponse:
        hashed, place = hashlib.sha256(), folder / str(uuid4())
        assert request.stream is not None
        with place.open("wb") as file:
            async for chunk in request.stream:  # type: ignore[attr-defined]  # HTTP/1 only
                hashed.update(chunk)
                file.write(chunk)
        return HTTPResponse(hashed.hexdigest(), 201)

    app.add_route(take, "/upload", methods=["POST"], stream=True)
    return app


def main() -> None:
    """`python -m tests.bench.disk --port N`, writing under the product's data directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    app = create_app(Path(os.environ["ZHUOLUO_DATA_DIR"]) / "bare")
    app.run("127.0.0.1", parser.parse_args().port, single_process=True, access_log=False, motd=False)


if __name__ == "__main__":
    main()
