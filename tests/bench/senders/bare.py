"""`python -m tests.bench.senders.bare`: nothing but the loop. What a sender can reach at all on this machine."""

import asyncio
from collections.abc import Iterator

import uvloop

from tests.bench.senders import Order, ordered
from tests.bench.senders.sending import Sender


async def send_all(order: Order) -> None:
    """To everybody, `at_once` at a time."""
    sender = Sender(order)
    await sender.open()
    openids = iter(order.openids())
    await asyncio.gather(*(_keep_sending(sender, openids) for _ in range(order.at_once)))
    await sender.close()


async def _keep_sending(sender: Sender, openids: Iterator[str]) -> None:
    for openid in openids:
        await sender.send(openid)


if __name__ == "__main__":
    uvloop.run(send_all(ordered()))
