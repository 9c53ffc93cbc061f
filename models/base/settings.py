"""Every setting, once. From `ZHUOLUO_*` in the environment, or files of the same names in `ZHUOLUO_SECRETS_DIR`.

Read only where things are composed (`api.app`, `workers.main`, `deploy`); rules take what they need as arguments.
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class WeChatSettings(BaseSettings):
    """The mini-program's and the service account's accounts at the WeChat platform."""

    model_config = SettingsConfigDict(env_prefix="ZHUOLUO_WECHAT_")

    origin: str = "https://api.weixin.qq.com"
    appid: str = ""
    secret: SecretStr = SecretStr("")
    callback_token: SecretStr = SecretStr("")
    callback_aes_key: SecretStr = SecretStr("")
    service_appid: str = ""
    service_secret: SecretStr = SecretStr("")
    subscribe_template: str = "ZL_TODO"
    service_template: str = "ZL_NOTICE"
    miniprogram_state: Literal["developer", "trial", "formal"] = "formal"


class WeComSettings(BaseSettings):
    """The operator's own app at WeCom (企业微信); off without a `corpid`."""

    model_config = SettingsConfigDict(env_prefix="ZHUOLUO_WECOM_")

    origin: str = "https://qyapi.weixin.qq.com"
    corpid: str = ""
    secret: SecretStr = SecretStr("")
    agentid: int = 0


class SmsSettings(BaseSettings):
    """The SMS provider (docs/deliveries.md); off without a `url`. `sign` and `template` are as registered there."""

    model_config = SettingsConfigDict(env_prefix="ZHUOLUO_SMS_")

    url: str = ""
    key_id: str = ""
    secret: SecretStr = SecretStr("")
    sign: str = ""
    template: str = ""


class StoreSettings(BaseSettings):
    """How the object store keeps evidence (docs/security.md). `keys`: the first one seals, every one opens.

    `public_url` is where phones and browsers reach S3 themselves, to bring parts of files to it; empty: they do not.
    """

    model_config = SettingsConfigDict(env_prefix="ZHUOLUO_STORE_")

    keys: SecretStr = SecretStr("")
    cipher: Literal["aes-256-gcm", "sm4-gcm"] = "aes-256-gcm"
    retention_days: int = Field(0, ge=0, le=36_500)
    retention_mode: Literal["governance", "compliance"] = "governance"
    public_url: str = Field("", pattern=r"^(https?://[^/?#@]+)?$")


class Settings(BaseSettings):
    """The whole configuration of one process."""

    model_config = SettingsConfigDict(env_prefix="ZHUOLUO_", extra="ignore")

    mode: Literal["production", "demo", "test"] = "production"
    data_dir: Path = Path(".local")
    database_url: SecretStr = SecretStr("")
    redis_url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    object_store_url: str = ""
    signing_key: SecretStr = SecretStr("")
    database_pool: int = 10
    proxies: int = Field(0, ge=0, le=8)
    """Of ours in front of the API, each adding to X-Forwarded-For; 0 believes no such header."""
    metrics_port: int = 9108
    phone_dir: Path | None = None
    ready_promise_age_seconds: int = 300
    messages_per_second: float = Field(10_000, gt=0)
    """Of each account at each channel, from one worker; several workers send several times as many."""
    dead_man_url: str = ""
    """Asked (GET) every minute in which nothing is wrong; whoever hears nothing for a while raises the alarm."""
    wechat: WeChatSettings = WeChatSettings()
    wecom: WeComSettings = WeComSettings()
    sms: SmsSettings = SmsSettings()
    store: StoreSettings = StoreSettings()

    @model_validator(mode="after")
    def _refuse_an_unsafe_production(self) -> "Settings":
        if self.mode == "production" and len(self.signing_key.get_secret_value()) < 32:
            raise ValueError("ZHUOLUO_SIGNING_KEY must hold at least 32 characters in production")
        if self.mode == "production" and self.phone_dir is not None:
            raise ValueError("ZHUOLUO_PHONE_DIR is for demos and tests: in production WeChat delivers the mini-program")
        return self

    @property
    def clock_file(self) -> Path | None:
        """The file that may move the clock; None in production."""
        return None if self.mode == "production" else self.data_dir / "clock"

    @property
    def store_url(self) -> str:
        """Where evidence is kept: `file:///…` (default, under the data directory) or `s3://bucket/prefix`."""
        return self.object_store_url or f"file://{(self.data_dir / 'objects').resolve()}"


def load() -> Settings:
    """Read the settings. Raises pydantic.ValidationError that names each wrong variable."""
    secrets = os.environ.get("ZHUOLUO_SECRETS_DIR")
    return Settings(
        _secrets_dir=secrets,
        wechat=WeChatSettings(_secrets_dir=secrets),
        wecom=WeComSettings(_secrets_dir=secrets),
        sms=SmsSettings(_secrets_dir=secrets),
        store=StoreSettings(_secrets_dir=secrets),
    )
