"""The dead man's switch: an address that is asked while all is well; its silence is what raises the alarm elsewhere."""

from gateways.exchange import Exchange, refuse_status


async def ping(url: str) -> None:
    """Say that all is well. Raises Refusal."""
    exchange = Exchange(url)
    try:
        refuse_status((await exchange.ask("GET", "")).status)
    finally:
        await exchange.close()
