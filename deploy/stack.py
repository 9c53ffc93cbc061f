"""Everything on one machine: services, mock WeChat, API and workers, as `zhuoluo demo` and `zhuoluo story` run them."""

import asyncio
import base64
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from deploy import local
from deploy.local.layout import Layout
from deploy.local.processes import pid_of
from deploy.local.supervisor import Child, supervise
from deploy.secrets import secret
from gateways import store

CHECKOUT = Path(__file__).parents[1]
PHONE = CHECKOUT / "miniprogram_mock" / "app" / "dist" / "build" / "h5"
"""The mini-program's browser build; `make demo` makes it."""
LOOPBACK = "127.0.0.1"
MINI_APPID, SERVICE_APPID = "wx5a1e0000000000aa", "wx5e2b0000000000bb"
PREFERRED_PORTS = {"api": 8000, "wechat": 9797, "metrics": 9108}
ANY_PORTS = dict.fromkeys(PREFERRED_PORTS, 0)


@dataclass(frozen=True)
class Stack:
    """Where each part answers, and the environment that the product's processes share."""

    data_dir: Path
    services: local.Services
    api_url: str
    wechat_url: str
    metrics_url: str
    environment: dict[str, str]

    def children(self) -> list[Child]:
        """The processes, in the order in which they start."""
        python = sys.executable
        api_port, wechat_port = self.api_url.rsplit(":", 1)[1], self.wechat_url.rsplit(":", 1)[1]
        return [
            Child(
                "wechat",
                [python, "-m", "miniprogram_mock.wechat", "--host", LOOPBACK, "--port", wechat_port],
                env=self._wechat_environment(),
                ready=f"{self.wechat_url}/_control/clock",
            ),
            Child(
                "api",
                [python, "-m", "api", "--host", LOOPBACK, "--port", api_port],
                env=self.environment,
                ready=f"{self.api_url}/healthz",
            ),
            Child("worker", [python, "-m", "workers"], env=self.environment, ready=f"{self.metrics_url}/metrics"),
        ]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Event]:
        """Every process, ready, for as long as the block lasts; the event is set when a signal asks us to leave.

        A block that does not leave by itself is then cancelled. Raises ServiceError where a process does not start.
        """
        ready, stop = asyncio.Event(), asyncio.Event()
        kept = supervise(self.children(), self.data_dir, services=self.services, on_ready=ready.set, stop=stop)
        supervising, waiting = asyncio.create_task(kept), asyncio.create_task(ready.wait())
        await asyncio.wait((supervising, waiting), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if supervising.done():
            await supervising
        block = asyncio.current_task()
        assert block is not None
        supervising.add_done_callback(cut := lambda _: block.cancel())
        try:
            yield stop
        finally:
            supervising.remove_done_callback(cut)
            stop.set()
            await supervising

    def kill(self, name: str) -> None:
        """End one process as a power cut would (SIGKILL); its supervisor starts it again."""
        pid = pid_of(Layout(self.data_dir).lock(name))
        if pid is not None:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)

    def _wechat_environment(self) -> dict[str, str]:
        ours = self.environment
        return {
            "WECHAT_MOCK_SECRET": ours["ZHUOLUO_WECHAT_SECRET"],
            "WECHAT_MOCK_SERVICE_SECRET": ours["ZHUOLUO_WECHAT_SERVICE_SECRET"],
            "WECHAT_MOCK_TOKEN": ours["ZHUOLUO_WECHAT_CALLBACK_TOKEN"],
            "WECHAT_MOCK_ENCODING_AES_KEY": ours["ZHUOLUO_WECHAT_CALLBACK_AES_KEY"],
            "WECHAT_MOCK_CALLBACK_URL": f"{self.api_url}/wechat/callback",
            "WECHAT_MOCK_H5_BASE_URL": f"{self.api_url}/phone",
        }


def prepare(services: local.Services, *, preferred: Mapping[str, int] = PREFERRED_PORTS) -> Stack:
    """Settle ports and secrets of an installation on `services`, the same ones at every start."""
    data_dir = services.data_dir
    ports = _ports(data_dir, preferred)
    api, wechat, metrics = (f"http://{LOOPBACK}:{ports[name]}" for name in ("api", "wechat", "metrics"))
    environment = _environment(services, data_dir, api, wechat, ports["metrics"])
    return Stack(data_dir, services, api, wechat, metrics, environment)


def _environment(services: local.Services, data_dir: Path, api: str, wechat: str, metrics_port: int) -> dict[str, str]:
    folder = data_dir / "secrets"
    return {
        "ZHUOLUO_MODE": "demo",
        "ZHUOLUO_DATA_DIR": str(data_dir),
        "ZHUOLUO_DATABASE_URL": services.database_url,
        "ZHUOLUO_REDIS_URL": services.redis_url,
        "ZHUOLUO_SIGNING_KEY": secret(folder, "signing_key"),
        "ZHUOLUO_STORE_KEYS": secret(folder, "store_keys", store.made),
        **({"ZHUOLUO_PHONE_DIR": str(PHONE)} if PHONE.is_dir() else {}),
        "ZHUOLUO_METRICS_PORT": str(metrics_port),
        "ZHUOLUO_WECHAT_ORIGIN": wechat,
        "ZHUOLUO_WECHAT_APPID": MINI_APPID,
        "ZHUOLUO_WECHAT_SECRET": secret(folder, "wechat_secret"),
        "ZHUOLUO_WECHAT_SERVICE_APPID": SERVICE_APPID,
        "ZHUOLUO_WECHAT_SERVICE_SECRET": secret(folder, "wechat_service_secret"),
        "ZHUOLUO_WECHAT_CALLBACK_TOKEN": secret(folder, "wechat_callback_token"),
        "ZHUOLUO_WECHAT_CALLBACK_AES_KEY": secret(folder, "wechat_callback_aes_key", _aes_key),
    }


def _aes_key() -> str:
    """43 characters of base64 (the platform's EncodingAESKey): 32 bytes without the padding sign."""
    return base64.b64encode(os.urandom(32)).decode().rstrip("=")


def _ports(data_dir: Path, preferred: Mapping[str, int]) -> dict[str, int]:
    """The ports of the last start while they are free, else the preferred ones, else any."""
    file = data_dir / "run" / "processes.json"
    wanted = json.loads(file.read_text()) if file.exists() else preferred
    taken = {name: port if _free(port) else _any_free() for name, port in wanted.items()}
    file.write_text(json.dumps(taken))
    return taken


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return port != 0


def _any_free() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
