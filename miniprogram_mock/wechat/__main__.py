"""Run the mock platform: `python -m miniprogram_mock.wechat --port 9797`."""

from __future__ import annotations

import gc
import os
import socket
import sys

from .app import make_app
from .settings import read_settings


def main() -> None:
    """Listen and serve until SIGTERM or SIGINT."""
    settings = read_settings(sys.argv[1:], os.environ)
    listener = socket.create_server((settings.host, settings.port), backlog=1024)
    host, port = listener.getsockname()[:2]
    app = make_app(settings)
    app.ctx.url = f"http://{host}:{port}"
    # A hundred thousand remembered messages make each full collection cost what a hundred calls do.
    gc.set_threshold(50_000, 20, 100)
    app.run(sock=listener, single_process=True)


main()
