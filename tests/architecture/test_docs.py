"""The documentation names what there is: files, settings, metrics."""

import re
from pathlib import Path

from prometheus_client import REGISTRY

import api.health
from api import observability
from models.base.settings import Settings, SmsSettings, StoreSettings, WeChatSettings, WeComSettings
from workers import metrics

CHECKOUT = Path(__file__).parents[2]
PAGES = [*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/**/*.md")]
OPERATIONS = (CHECKOUT / "docs" / "operations.md").read_text(encoding="utf-8")


def test_every_link_to_a_file_finds_it() -> None:
    broken = [
        f"{page.relative_to(CHECKOUT)}: {link}"
        for page in PAGES
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]
    assert PAGES and broken == []


def test_every_setting_is_explained_to_operators() -> None:
    groups = {"wechat": WeChatSettings, "wecom": WeComSettings, "sms": SmsSettings, "store": StoreSettings}
    ours = {f"ZHUOLUO_{name}".upper() for name in Settings.model_fields.keys() - groups}
    assert ours - set(re.findall(r"`(ZHUOLUO_\w+)`", OPERATIONS)) == set()
    for group, settings in groups.items():
        names = {name.upper() for name in settings.model_fields if name != "origin"}  # for tests and demo only
        told = f"ZHUOLUO_{group.upper()}"
        assert {name for name in names if not re.search(rf"`({told})?_{name}`", OPERATIONS)} == set()


def test_no_alarm_watches_a_metric_that_is_not_there() -> None:
    assert observability.REQUESTS and metrics.outcomes  # registered by being imported
    known = {sample.name for family in REGISTRY.collect() for sample in family.samples}
    known |= {family.name for family in REGISTRY.collect()} | {f"{family.name}_total" for family in REGISTRY.collect()}
    known |= set(re.findall(r'"(zhuoluo_\w+)"', Path(api.health.__file__).read_text(encoding="utf-8")))
    assert set(re.findall(r"zhuoluo_\w+", OPERATIONS)) - known == set()
