"""What is asked of a server, as bytes: the same for everybody."""

from collections.abc import Callable, Iterable
from uuid import uuid4

from tests.bench.zones import ITEM, REMINDER, bench_id

Ask = Callable[[int, list[str]], bytes]
"""A number (of a person, an item or a reminder) and everybody's tokens → one request."""


def _get(path: str, token: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\r\n".encode()


def inbox(number: int, tokens: list[str]) -> bytes:
    """The first 20 open reminders and the counts by kind."""
    return _get("/api/mini/inbox?limit=20", tokens[number % len(tokens)])


def items(number: int, tokens: list[str]) -> bytes:
    """The caller's own 10 items, with names of owner and unit."""
    return _get("/api/mini/items?limit=10", tokens[number % len(tokens)])


def item(number: int, tokens: list[str]) -> bytes:
    """One item whole, with its cycles and the caller's next steps."""
    return _get(f"/api/mini/items/{bench_id(ITEM, number)}", tokens[number % len(tokens)])


def acknowledge(number: int, tokens: list[str]) -> bytes:
    """Take note of a reminder, once; under an idempotency key as phones send it."""
    return (
        f"POST /api/mini/inbox/{bench_id(REMINDER, number)}/acknowledge HTTP/1.1\r\nhost: bench\r\n"
        f"authorization: Bearer {tokens[number % len(tokens)]}\r\nidempotency-key: {uuid4()}\r\n"
        'content-type: application/json\r\ncontent-length: 13\r\n\r\n{"note":null}'
    ).encode()


ASKS: dict[str, Ask] = {ask.__name__: ask for ask in (inbox, items, item, acknowledge)}


def requests(kind: str, numbers: Iterable[int], tokens: list[str]) -> list[bytes]:
    """Every request of a run, made before it begins."""
    ask = ASKS[kind]
    return [ask(number, tokens) for number in numbers]
