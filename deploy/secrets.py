"""Secrets of a local installation: made once, kept in files that only their owner reads."""

import secrets
from collections.abc import Callable
from pathlib import Path


def secret(folder: Path, name: str, make: Callable[[], str] = lambda: secrets.token_urlsafe(36)) -> str:
    """The secret `name` in `folder`, made on first use (file mode 0600)."""
    file = folder / name
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600, exist_ok=False)
        file.write_text(make())
        return file.read_text()
