"""The store of an installation, as its settings say."""

import structlog

from gateways.store.keys import Keys
from gateways.store.objects import Store
from gateways.store.retention import Retention
from models.base.settings import Settings

log = structlog.get_logger()


async def opened(settings: Settings) -> Store:
    """Raises WrongKeys. What is not sealed in production, or not retained, is logged; `zhuoluo doctor` says so too."""
    told = settings.store
    keys = Keys.read(told.keys.get_secret_value(), told.cipher)
    retention = Retention(told.retention_days, told.retention_mode)
    store = Store.open(settings.store_url, keys=keys, retention=retention, public=told.public_url)
    if keys is None and settings.mode == "production":
        log.warning("store.not_sealed")
    if told.retention_days and not await _retains(store):
        log.warning("store.not_retained", days=told.retention_days)
    return store


async def _retains(store: Store) -> bool:
    try:
        return await store.retains()
    except OSError as gone:
        log.warning("store.retention_not_known", error=type(gone).__name__)
        return True  # it is asked for with every original, and refuses them if it must
