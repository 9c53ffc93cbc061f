"""Secrets of a local installation: made once, kept in files that only their owner reads."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path


def secret(folder: Path, name: str, make: Callable[[], str] = lambda: secrets.token_urlsafe(36)) -> str:
    """The secret `name` in `folder`, made on first use (file mode 0600)."""
    file = folder / name
    if not file.exists():
        keep_secret(folder, name, make())
    return file.read_text().strip()


def keep_secret(folder: Path, name: str, content: str) -> None:
    """Write `content` to a file that nobody else can read at any moment; whole, or not at all."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = folder / f"{name}.new"
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)
    fresh.replace(folder / name)
