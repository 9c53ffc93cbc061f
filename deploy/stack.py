"""Everything on one machine: services, mock WeChat, API and workers, as `zhuoluo demo` and `zhuoluo story` run them."""

import base64
import json
import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy import local
from deploy.local.supervisor import Child
from deploy.secrets import secret

LOOPBACK = "127.0.0.1"
MINI_APPID, SERVICE_APPID = "wx5a1e0000000000aa", "wx5e2b0000000000bb"
PREFERRED_PORTS = {"api": 8000, "wechat": 9797, "metrics": 9108}


@dataclass(frozen=True)
class Stack:
    """Where each part answers, and the environment that the product's processes share."""

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

    def _wechat_environment(self) -> dict[str, str]:
        ours = self.environment
        return {
            "WECHAT_MOCK_SECRET": ours["ZHUOLUO_WECHAT_SECRET"],
            "WECHAT_MOCK_SERVICE_SECRET": ours["ZHUOLUO_WECHAT_SERVICE_SECRET"],
            "WECHAT_MOCK_TOKEN": ours["ZHUOLUO_WECHAT_CALLBACK_TOKEN"],
            "WECHAT_MOCK_ENCODING_AES_KEY": ours["ZHUOLUO_WECHAT_CALLBACK_AES_KEY"],
            "WECHAT_MOCK_CALLBACK_URL": f"{self.api_url}/wechat/callback",
        }


def prepare(data_dir: Path) -> Stack:
    """Start the services under `data_dir` and settle ports and secrets, the same ones at every start.

    Raises local.ServiceError when a service cannot be started.
    """
    services = local.start(data_dir)
    ports = _ports(data_dir)
    api, wechat, metrics = (f"http://{LOOPBACK}:{ports[name]}" for name in ("api", "wechat", "metrics"))
    return Stack(services, api, wechat, metrics, _environment(services, data_dir, api, wechat, ports["metrics"]))


def _environment(services: local.Services, data_dir: Path, api: str, wechat: str, metrics_port: int) -> dict[str, str]:
    folder = data_dir / "secrets"
    return {
        "ZHUOLUO_MODE": "demo",
        "ZHUOLUO_DATA_DIR": str(data_dir),
        "ZHUOLUO_DATABASE_URL": services.database_url,
        "ZHUOLUO_REDIS_URL": services.redis_url,
        "ZHUOLUO_SIGNING_KEY": secret(folder, "signing_key"),
        "ZHUOLUO_PUBLIC_ORIGIN": api,
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


def _ports(data_dir: Path) -> dict[str, int]:
    """The ports of the last start while they are free, else the preferred ones, else any."""
    file = data_dir / "ports.json"
    wanted = json.loads(file.read_text()) if file.exists() else PREFERRED_PORTS
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
        return True


def _any_free() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
