"""Counting what is said to the database: a list costs the same however many rows it shows."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.statements: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.statements.append(record.getMessage())


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements that Tortoise runs within the block."""
    logger, heard = logging.getLogger("tortoise.db_client"), _Heard()
    level = logger.level
    logger.addHandler(heard)
    logger.setLevel(logging.DEBUG)
    try:
        yield heard.statements
    finally:
        logger.removeHandler(heard)
        logger.setLevel(level)
