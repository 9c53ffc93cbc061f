"""Connections against a server that says, byte for byte, what each test wants it to say."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from gateways import connections
from gateways.connections import Broken, Connections, Unreachable
from gateways.exchange import Exchange
from gateways.refusals import Refusal, RefusalKind

REQUEST = b"GET /x HTTP/1.1\r\nhost: here\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: 2\r\n\r\n{}"


@dataclass
class Server:
    """Says the next of `answers` to each request; None hangs up, and after the last it is silent."""

    answers: list[bytes | None] = field(default_factory=list)
    connected: int = 0
    asked: list[bytes] = field(default_factory=list)
    url: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connected += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.asked.append(head)
                if not self.answers:
                    continue
                answer = self.answers.pop(0)
                if answer is None:
                    break
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    saying = Server()
    listening = await asyncio.start_server(saying.serve, "127.0.0.1", 0)
    saying.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    yield saying
    listening.close()


@pytest.fixture
async def pool(server: Server) -> AsyncIterator[Connections]:
    made = Connections(server.url, total_seconds=0.5)
    yield made
    made.close()


async def test_one_connection_serves_one_request_after_the_other(server: Server, pool: Connections) -> None:
    server.answers = [OK, OK]
    for _ in range(2):
        reply = await pool.ask(REQUEST)
        assert (reply.status, reply.content_type, reply.content) == (200, "application/json", b"{}")
    assert server.connected == 1


async def test_a_connection_that_the_server_closes_is_not_used_again(server: Server, pool: Connections) -> None:
    server.answers = [OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"), OK]
    for _ in range(2):
        assert (await pool.ask(REQUEST)).status == 200
    assert server.connected == 2


async def test_a_connection_that_was_idle_for_long_is_not_used_again(
    server: Server, pool: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "KEPT_SECONDS", 0.0)
    server.answers = [OK, OK]
    for _ in range(2):
        assert (await pool.ask(REQUEST)).status == 200
    assert server.connected == 2


async def test_an_answer_in_chunks_and_pieces_is_read_whole(server: Server, pool: Connections) -> None:
    server.answers = [
        b"HTTP/1.1 100 Continue\r\n\r\n"
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
    ]
    assert (await pool.ask(REQUEST)).content == b"{}"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(None, id="hung up"),
        pytest.param(b"<html>", id="not HTTP"),
        pytest.param(OK[:-1], id="cut short"),
        pytest.param(b"", id="silent"),
    ],
)
async def test_whatever_is_no_whole_answer_is_broken(server: Server, pool: Connections, answer: bytes | None) -> None:
    server.answers = [answer]
    with pytest.raises(Broken):
        await pool.ask(REQUEST)
    server.answers = [OK]
    assert (await pool.ask(REQUEST)).status == 200
    assert server.connected == 2


async def test_an_answer_too_large_is_broken(
    server: Server, pool: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST_BYTES", 1)
    server.answers = [OK]
    with pytest.raises(Broken, match="too large"):
        await pool.ask(REQUEST)


async def test_nobody_listens() -> None:
    listening = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    listening.close()
    await listening.wait_closed()
    with pytest.raises(Unreachable):
        await Connections(f"http://127.0.0.1:{port}").ask(REQUEST)


async def test_what_nobody_asked_for_ends_the_connection(server: Server, pool: Connections) -> None:
    server.answers = [OK + OK.replace(b"{}", b"[]"), OK]
    assert (await pool.ask(REQUEST)).content == b"{}"
    assert (await pool.ask(REQUEST)).content == b"{}"
    assert server.connected == 2


async def test_a_caller_that_gives_up_leaves_no_answer_to_the_next(server: Server, pool: Connections) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await pool.ask(REQUEST)
    server.answers = [OK]
    assert (await pool.ask(REQUEST)).status == 200
    assert server.connected == 2


async def test_no_more_connections_than_places(server: Server) -> None:
    few = Connections(server.url, most=2)
    server.answers = [OK] * 8
    assert [reply.status for reply in await asyncio.gather(*(few.ask(REQUEST) for _ in range(8)))] == [200] * 8
    assert server.connected <= 2
    few.close()


async def test_a_head_cannot_be_broken_out_of(server: Server) -> None:
    exchange = Exchange(server.url)
    with pytest.raises(ValueError, match="line break"):
        await exchange.ask("GET", "/x", headers={"idempotency-key": "a\r\nhost: elsewhere"})
    assert not server.asked


async def test_an_address_may_have_a_path_and_says_its_host(server: Server) -> None:
    server.answers = [OK]
    exchange = Exchange(f"{server.url}/sms/v1/")
    await exchange.ask("POST", "", content=b"")
    assert server.asked[0].startswith(f"POST /sms/v1 HTTP/1.1\r\nhost: {server.url[7:]}\r\n".encode())
    await exchange.close()


async def test_no_answer_is_unknown(server: Server) -> None:
    server.answers = [None]
    exchange = Exchange(server.url)
    with pytest.raises(Refusal) as refused:
        await exchange.ask("GET", "/")
    assert refused.value.kind is RefusalKind.UNKNOWN
    await exchange.close()
