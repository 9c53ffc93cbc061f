"""Building packs, one at a time a worker, and removing those past their time."""

from datetime import timedelta
from time import monotonic

import structlog

from models import packs
from models.base import clock
from models.packs import Made, NotSealedYet, Pack, Stopped, TooLong
from workers import timelines
from workers.relay import Context, every

log = structlog.get_logger()

BEAT_SECONDS = 2.0
PAUSE = timedelta(seconds=30)
NOT_SEALED = timedelta(seconds=2)
LEFT_BEHIND = timedelta(days=1)


class _Interrupted(Exception):
    """The worker is to end."""


@every(seconds=2)
async def build(context: Context) -> None:
    """Build what waits; an end of the worker interrupts it, and another one begins it anew."""
    while not context.stopping.is_set() and (pack := await packs.begin()):
        await _build(context, pack)


async def _build(context: Context, pack: Pack) -> None:
    made = Made(pack, context.store, timelines.draw, _Beat(context, pack))
    try:
        await context.store.put(packs.address(pack), made.stream())
        await packs.finish(pack, made)
        log.info("pack.made", pack_id=str(pack.id), files=pack.files_total, size=made.size, lost=len(made.lost))
    except Stopped:
        await context.store.delete(packs.address(pack))
    except _Interrupted:
        await packs.put_back(pack, counted=False)
    except NotSealedYet:
        await packs.put_back(pack, NOT_SEALED, counted=False)
    except TooLong:
        await packs.give_up(pack, "有事项的材料或日志过多，不能打包。请联系管理员导出操作日志。")
    except Exception:
        await packs.put_back(pack, PAUSE)
        raise


class _Beat:
    """Says every few seconds how far it is, and stops where it is to stop."""

    def __init__(self, context: Context, pack: Pack) -> None:
        self._context, self._pack, self._last = context, pack, monotonic()

    async def __call__(self, files_done: int) -> None:
        if self._context.stopping.is_set():
            raise _Interrupted
        if monotonic() - self._last >= BEAT_SECONDS:
            self._last = monotonic()
            await packs.go_on(self._pack, files_done)


@every(seconds=600)
async def expire(context: Context) -> None:
    """Remove what nobody fetched in time from the store."""
    for pack in await packs.to_expire():
        await context.store.delete(packs.address(pack))
        await packs.expired(pack)


@every(seconds=3600)
async def sweep(context: Context) -> None:
    """Remove what builders that were killed left behind; whatever is so old has expired."""
    before = clock.now() - clock.offset() - packs.KEPT - LEFT_BEHIND
    for key in await context.store.older(packs.FOLDER, before):
        await context.store.delete(key)
    await context.store.sweep_unfinished(packs.FOLDER, before)
