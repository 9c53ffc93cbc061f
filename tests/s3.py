"""A real S3 on this machine: SeaweedFS from a wheel, on loopback, with keys of its own; it may be killed."""

import json
import secrets
import socket
import subprocess
import sysconfig
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import botocore.session
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError

WEED = Path(sysconfig.get_path("scripts")) / "weed"
PATIENCE_SECONDS = 30
REGION = "us-east-1"
PORTS = ("master", "volume", "filer", "s3")


class DidNotStart(RuntimeError):
    """It ended, or did not answer in time; carries the end of its log."""


@dataclass(frozen=True)
class Bucket:
    """One bucket, empty at first: where it is, and what a process needs in its environment to use it."""

    name: str
    environment: dict[str, str]

    @property
    def url(self) -> str:
        """As `ZHUOLUO_OBJECT_STORE_URL` takes it."""
        return f"s3://{self.name}"

    @property
    def options(self) -> dict[str, Any]:
        """As `Store.open` takes them."""
        return {
            "endpoint": self.environment["AWS_ENDPOINT_URL"],
            "region": REGION,
            "access_key_id": self.environment["AWS_ACCESS_KEY_ID"],
            "secret_access_key": self.environment["AWS_SECRET_ACCESS_KEY"],
            "client_options": {"allow_http": True},
        }


class S3:
    """One server with its data in `folder`. As a context manager it runs for as long as the block lasts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key, self._secret = secrets.token_hex(10), secrets.token_urlsafe(30)
        self._ports = _free_ports(2 * len(PORTS))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._ports[PORTS.index('s3')]}"

    @property
    def client(self) -> Any:
        """botocore's client, for what the product never does: making buckets, damaging objects."""
        keys = {"aws_access_key_id": self._key, "aws_secret_access_key": self._secret}
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=10)
        session = botocore.session.get_session()
        return session.create_client("s3", region_name=REGION, endpoint_url=self.url, config=config, **keys)

    def bucket(self, *, locking: bool = False) -> Bucket:
        """A new bucket; with `locking`, one whose objects can be retained."""
        name = f"test-{secrets.token_hex(6)}"
        self.client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=locking)
        told = {"AWS_ENDPOINT_URL": self.url, "AWS_REGION": REGION, "AWS_ALLOW_HTTP": "true"}
        return Bucket(name, {**told, "AWS_ACCESS_KEY_ID": self._key, "AWS_SECRET_ACCESS_KEY": self._secret})

    def start(self) -> None:
        """On the same ports and data as before. Raises DidNotStart."""
        self._folder.mkdir(parents=True, exist_ok=True)
        identity = {"accessKey": self._key, "secretKey": self._secret}
        actions = ["Admin", "Read", "Write", "List", "Tagging"]
        identities = [{"name": "zhuoluo", "credentials": [identity], "actions": actions}]
        (self._folder / "keys.json").write_text(json.dumps({"identities": identities}))
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            self._wait()
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """As a crash does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def _log(self) -> Path:
        return self._folder / "s3.log"

    def _command(self) -> list[str]:
        listens = [f"{name}.port{kind}" for kind in ("", ".grpc") for name in PORTS]
        ports = [f"-{name}={port}" for name, port in zip(listens, self._ports, strict=True)]
        sockets = [f"-{name}.localSocket={self._folder / name}.sock" for name in ("filer", "s3")]
        quick = ["-master.electionTimeout=1s", "-volume.preStopSeconds=0", "-master.telemetry=false"]
        small = ["-volume.max=500", "-master.volumeSizeLimitMB=64", "-s3.port.iceberg=0", "-s3.port.lance=0"]
        folder = [f"-dir={self._folder}", f"-s3.config={self._folder / 'keys.json'}"]
        return [str(WEED), "server", "-ip=127.0.0.1", "-filer", "-s3", *folder, *ports, *sockets, *quick, *small]

    def _wait(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise DidNotStart(self._log.read_text("utf-8", "replace")[-4000:])
            time.sleep(0.05)

    def _answers(self) -> bool:
        """Whether it keeps and gives: it lists its buckets some time before it does."""
        client, ready = self.client, {"Bucket": "ready", "Key": "ready"}
        try:
            with suppress(client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
                client.create_bucket(Bucket="ready")
            client.put_object(**ready, Body=b"ready")
            return bool(client.get_object(**ready)["Body"].read())
        except (BotoCoreError, ClientError):
            return False


def _free_ports(count: int) -> list[int]:
    """Free at this moment, and different ones."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
