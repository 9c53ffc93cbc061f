"""Working off what is due: before a worker's phones begin to ring, and on an operator's word."""

import asyncio

from models.deliveries import GATHER
from workers import callbacks, deliveries, escalations
from workers.relay import Context, Relay


async def catch_up(context: Context) -> None:
    """Do what came due while nobody worked, before anything is told of it: so each person hears once, of all of it."""
    relay = Relay(context)
    await callbacks.apply(context)
    await deliveries.recover(context)
    await relay.drain()
    await escalations.fire(context)
    await relay.drain()


async def drain(context: Context) -> None:
    """Catch up, and send all that is then due."""
    await catch_up(context)
    await asyncio.sleep(GATHER.total_seconds())  # what was owed just now waits so long for more
    await deliveries.push(context)
