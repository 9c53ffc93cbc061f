"""What the mock platform can be told when it starts.

Every field is both a command-line option (`--push-format xml`) and an environment variable
(`WECHAT_MOCK_PUSH_FORMAT=xml`); the command line wins.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

PREFIX = "WECHAT_MOCK_"


@dataclass(frozen=True, slots=True)
class Settings:
    """Demo defaults; durations in milliseconds, limits in calls per Shanghai day."""

    host: str = "127.0.0.1"
    port: int = 9797
    ready_file: str = ""
    """Written with the server's URL once it listens, for launchers that asked for port 0."""

    appid: str = "wx5a1e0000000000aa"
    secret: str = "demo-mini-secret"  # noqa: S105
    original_id: str = "gh_zhuoluo_mini"
    service_appid: str = "wx5e2b0000000000bb"
    service_secret: str = "demo-service-secret"  # noqa: S105
    service_original_id: str = "gh_zhuoluo_service"

    wecom_corpid: str = "ww5a1e0000000000cc"
    wecom_secret: str = "demo-wecom-secret"  # noqa: S105
    wecom_agentid: int = 1000002

    token: str = "zhuoluo"  # noqa: S105
    encoding_aes_key: str = "emhvbHVvLWRlbW8tZW5jb2RpbmctYWVzLWtleS0wMDA"
    callback_url: str = ""
    """Where events are pushed; empty means that none are."""
    service_callback_url: str = ""
    """The service account's own address; empty means the same as `callback_url`."""
    push_format: str = "json"
    push_timeout_ms: int = 5000
    push_retry_ms: int = 2000
    push_concurrency: int = 16
    sent_events: bool = True
    """Whether each message sent is followed by `subscribe_msg_sent_event` or `TEMPLATESENDJOBFINISH`."""
    media_check_delay_ms: int = 500

    h5_base_url: str = ""
    """Where the browser build of the mini-program is served, such as `http://127.0.0.1:8000/m/`.

    Notifications then link to `…/m/?mock_openid=OPENID#/pages/item?id=…`; each phone keeps a tab of its own.
    """

    latency_ms: int = 5
    """Between accepting a call and answering it. Zero makes concurrent sends (43108) impossible to see."""
    subscribe_daily_limit: int = 10_000_000
    template_daily_limit: int = 100_000
    wecom_daily_limit: int = 100_000
    keep_sent: int = 100_000
    keep_notifications: int = 20
    max_phones: int = 200_000


def read_settings(argv: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Settings from the command line, then the environment, then the defaults; exits with usage on nonsense."""
    parser = argparse.ArgumentParser(prog="python -m miniprogram_mock.wechat", description="A mock WeChat platform.")
    for each in fields(Settings):
        default = environ.get(PREFIX + each.name.upper(), each.default)
        parser.add_argument(f"--{each.name.replace('_', '-')}", type=_reader(each.default), default=default)
    return Settings(**vars(parser.parse_args(argv)))


def _reader(default: object) -> Callable[[str], object]:
    return _boolean if isinstance(default, bool) else type(default)


def _boolean(text: str) -> bool:
    words = {
        "1": True,
        "true": True,
        "yes": True,
        "on": True,
        "0": False,
        "false": False,
        "no": False,
        "off": False,
    }
    try:
        return words[text.lower()]
    except KeyError:
        raise argparse.ArgumentTypeError(f"not a yes or a no: {text}") from None
