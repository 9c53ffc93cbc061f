"""What can be wrong with an object, and with the store itself."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError

from models.base.errors import Unavailable

log = structlog.get_logger()


class Missing(Unavailable):
    """There is no object under this key."""

    def __init__(self, key: str) -> None:
        super().__init__("object_missing", "这份文件没有找到，已经记录。请联系管理员。")
        self.args = (key,)


class Unreadable(Unavailable):
    """The object is there and cannot be read, for this reason; it is left as it is."""

    def __init__(self, reason: str) -> None:
        super().__init__("object_unreadable", "这份文件现在打不开，没有做任何改动，已经记录。请联系管理员。")
        self.args = (reason,)


class KeyMissing(Unreadable):
    """It is sealed under a master key that is not among `ZHUOLUO_STORE_KEYS`."""


class Damaged(Unreadable):
    """What is there is not what was sealed: altered, cut off, or put together from others."""


@contextmanager
def named(key: str) -> Iterator[None]:
    """obstore's errors in our words: Missing, AlreadyExistsError, and Unavailable for all that the store causes."""
    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise Missing(key) from None
    except AlreadyExistsError:
        raise
    except (BaseError, OSError) as gone:
        log.error("store.unavailable", error=type(gone).__name__)
        detail = "存放材料的地方暂时用不了，这次没有保存任何内容。请稍后重试。"
        raise Unavailable("store_unavailable", detail, retry_after=30) from gone


@contextmanager
def reported(key: str) -> Iterator[None]:
    """What cannot be read is in the log, under the object's key."""
    try:
        yield
    except Unreadable as reason:
        log.error("store.unreadable", key=key, error=type(reason).__name__, reason=str(reason))
        raise
