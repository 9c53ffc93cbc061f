"""What lies where in a data directory, and the secrets and ports kept there."""

import json
import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from deploy.local.account import service_account


@dataclass(frozen=True)
class Layout:
    """The files of one installation."""

    root: Path

    @property
    def launcher_lock(self) -> Path:
        return self.root / "run" / "launcher.lock"

    @property
    def ports(self) -> Path:
        return self.root / "run" / "ports.json"

    def folder(self, service: str) -> Path:
        """What only the service itself writes."""
        return self.root / service

    def lock(self, service: str) -> Path:
        return self.root / "run" / f"{service}.lock"

    def log(self, service: str) -> Path:
        return self.root / "log" / f"{service}.log"

    def create(self) -> None:
        """Make the folders: ours are closed to everybody else, the root only lets the services through."""
        if not self.root.exists():
            self.root.mkdir(parents=True)
            self.root.chmod(0o700 if service_account().uid is None else 0o711)
        for name in ("run", "log", "secrets"):
            (self.root / name).mkdir(mode=0o700, exist_ok=True)

    def password(self, service: str) -> str:
        """The service's password, generated at first use into a file that only we can read."""
        path = self.root / "secrets" / service
        if not path.exists():
            write_private(path, secrets.token_urlsafe(32))
        return path.read_text()

    def port(self, service: str) -> int | None:
        """The port the service was last started on."""
        return self._read_ports().get(service)

    def choose_port(self, service: str) -> int:
        """The port of last time, so that clients find the service again, unless somebody has taken it."""
        ports = self._read_ports()
        port = ports.get(service)
        if port is None or not _is_free(port):
            port = _free_port()
            write_private(self.ports, json.dumps(ports | {service: port}))
        return port

    def _read_ports(self) -> dict[str, int]:
        return json.loads(self.ports.read_text()) if self.ports.exists() else {}


def write_private(path: Path, text: str) -> None:
    """Write `text` so that only the owner reads it and nobody ever sees half of it."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def accepts(port: int | None) -> bool:
    """Whether somebody listens on this port of the loopback interface."""
    if port is None:
        return False
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
