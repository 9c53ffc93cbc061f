"""Files in and out: a body streamed raw or as one part of a form, and an object streamed back."""

from collections.abc import AsyncIterator
from http import HTTPStatus

from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header
from sanic import Request
from sanic.response import ResponseStream

from models.base.errors import Refused

FORM_OVERHEAD = 64 * 1024
"""Bytes that a form adds around its file, at most: a route's `max_body` is the file's limit and this."""
INERT = {
    # the strictest pair: even opened as a page of its own it can run and load nothing
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "private, max-age=86400, immutable",  # an address never shows other bytes
}


def file_chunks(request: Request) -> AsyncIterator[bytes]:
    """The file that a streamed request carries: the body itself, or the part `file` of a form (wx.uploadFile).

    Raises Refused (`malformed_form`) while it is read.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind == "multipart/form-data":
        return _part(request, options.get("boundary", ""))
    return _body(request)


def length_of(request: Request) -> int | None:
    """Bytes of the body, where the client tells them."""
    told = request.headers.get("content-length", "")
    return int(told) if told.isascii() and told.isdigit() and len(told) < 16 else None


async def _body(request: Request) -> AsyncIterator[bytes]:
    assert request.stream is not None
    async for chunk in request.stream:  # type: ignore[attr-defined]  # HTTP/1 only
        yield bytes(chunk)


async def _part(request: Request, boundary: str) -> AsyncIterator[bytes]:
    inside, found = False, 0
    try:
        with PushMultipartParser(boundary, max_segment_count=8) as parser:
            async for chunk in _body(request):
                for event in parser.parse(chunk):
                    if isinstance(event, MultipartSegment):
                        inside = event.name == "file"
                        found += inside
                    elif event and inside:
                        yield bytes(event)
    except MultipartError:
        raise _malformed() from None
    if found != 1:
        raise _malformed()


def _malformed() -> Refused:
    return Refused("malformed_form", "上传的表单不完整，应有且只有一个名为 file 的文件，没有保存。请重新上传。")


def stream_file(
    request: Request, chunks: AsyncIterator[bytes], *, etag: str, size: int, media_type: str, name: str | None = None
) -> ResponseStream:
    """A reply of `size` bytes. With a `name` (ASCII) the browser saves it under that name instead of showing it."""
    headers = {**INERT, "etag": f'"{etag}"'}
    if request.headers.get("if-none-match") == headers["etag"]:
        return ResponseStream(_nothing, HTTPStatus.NOT_MODIFIED, headers)  # type: ignore[arg-type]
    headers["content-length"] = str(size)
    headers["content-disposition"] = f'attachment; filename="{name}"' if name else "inline"

    async def write(response: ResponseStream) -> None:
        async for chunk in chunks:
            await response.write(chunk)  # type: ignore[arg-type]  # bytes are what it sends in the end

    return ResponseStream(write, HTTPStatus.OK, headers, media_type)  # type: ignore[arg-type]


async def _nothing(response: ResponseStream) -> None:
    """A 304 has no body."""
