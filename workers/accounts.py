"""Forgetting what sign-ins leave behind."""

from models import accounts
from workers.relay import Context, every


@every(seconds=3600)
async def forget_old(context: Context) -> None:
    """Remove ended sign-ins, sessions and kept answers whose time is over."""
    await accounts.forget_old()
