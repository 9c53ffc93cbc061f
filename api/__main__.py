"""`python -m api`: serve until told to stop."""

import argparse
import os
import shutil

from models.base import garbage, settings


def main() -> None:
    """Serve with the settings of the environment."""
    parser = argparse.ArgumentParser(prog="python -m api", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    loaded = settings.load()
    if asked.workers > 1:
        _count_together(loaded)
    # Imported only now: prometheus-client decides at import whether processes count together.
    from sanic import Sanic  # noqa: PLC0415
    from sanic.worker.loader import AppLoader  # noqa: PLC0415

    from api.app import create_app  # noqa: PLC0415

    app = create_app(loaded)
    app.after_server_start(lambda *_: garbage.settle())
    if asked.workers == 1:
        # One process and no manager, which would end by killing its whole process group.
        app.run(asked.host, asked.port, single_process=True, access_log=False, motd=False)
        return
    if os.getpid() != os.getsid(0):
        os.setsid()  # the manager's last word is killpg(SIGKILL): a group of its own, never the database's
    # Forked workers are up at once with this very app; the manager does not take a stop well while others import.
    Sanic.start_method = "fork"
    app.prepare(asked.host, asked.port, workers=asked.workers, access_log=False, motd=False)
    Sanic.serve(primary=app, app_loader=AppLoader(factory=lambda: app))


def _count_together(loaded: settings.Settings) -> None:
    folder = loaded.data_dir / "metrics" / str(os.getpid())
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


if __name__ == "__main__":
    main()
