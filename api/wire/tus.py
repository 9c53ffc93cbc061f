"""The tus protocol 1.0.0 (https://tus.io/protocols/resumable-upload): its headers, read and written.

What it says of uploads themselves is in models.evidence.uploads.
"""

import binascii
import re
from base64 import b64decode
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TypeVar

from pydantic import BaseModel
from sanic import Request

from api.wire.reading import read_words
from api.wire.routes import Header
from models.base.errors import Fault, Invalid, Refused, UnsupportedType

VERSION = "1.0.0"
ALWAYS = (("tus-resumable", VERSION), ("tus-version", VERSION))
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
BODY = "application/offset+octet-stream"
MOST_METADATA = 4_096
RESUMABLE = Header("Tus-Resumable", "tus 协议的版本。", VERSION)
OFFSET = Header("Upload-Offset", "这一段从第几个字节开始：服务器已收到的字节数。", "0")
LENGTH = Header("Upload-Length", "整个文件的字节数。", "1048576")
METADATA = Header(
    "Upload-Metadata",
    "逗号分隔的“名称 Base64值”。",
    "kind cGhvdG8=,client_id MDE5M2E1YjAtN2MxZS03MDAwLTgwMDAtMDAwMDAwMDAwMDAx",
)
CHECKSUM = Header(
    "Upload-Checksum",
    "这一段的校验值：算法和 Base64 值。",
    "sha256 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    required=False,
)
OVERRIDE = Header("X-HTTP-Method-Override", "不能发 PATCH 的客户端（wx.request）写 PATCH。", "PATCH")
_NUMBER = re.compile(r"\d{1,15}")
Form = TypeVar("Form", bound=BaseModel)


class OtherVersion(Refused):
    """A client of another version of the protocol."""

    status = 412


def check_version(request: Request) -> None:
    """Raises OtherVersion."""
    if request.headers.get("tus-resumable") != VERSION:
        raise OtherVersion("tus_version", f"只支持 tus {VERSION}，没有做任何改动。请升级后再传。")


def check_body(request: Request) -> None:
    """Raises UnsupportedType where the request does not bring a part of a file."""
    if request.headers.get("content-type", "").split(";", 1)[0].strip().lower() != BODY:
        raise UnsupportedType("offset_body_expected", f"续传的内容类型应为 {BODY}。")


def brings_bytes(request: Request) -> bool:
    """Whether the first bytes come with the creation itself."""
    return request.headers.get("content-type", "").startswith(BODY)


def offset_of(request: Request) -> int:
    """From which byte on. Raises Invalid."""
    return _number(request, OFFSET)


def length_of(request: Request) -> int:
    """Of the whole file, in bytes. Raises Invalid."""
    return _number(request, LENGTH)


def _number(request: Request, header: Header) -> int:
    given = request.headers.get(header.name, "")
    if not _NUMBER.fullmatch(given):
        raise wrong(header, "应为不小于0的整数。")
    return int(given)


def wrong(header: Header, detail: str) -> Invalid:
    """Of a header that cannot be read; `detail` follows its name."""
    sentence = f"{header.name} {detail}"
    return Invalid("invalid_header", sentence, faults=(Fault(f"/headers/{header.name}", "invalid", sentence),))


def metadata_of(request: Request, form: type[Form]) -> Form:
    """What the client says of the file. Raises Invalid."""
    given = request.headers.get(METADATA.name, "")
    if len(given) > MOST_METADATA:
        raise wrong(METADATA, "过长。")
    pairs = [pair.strip().partition(" ") for pair in given.split(",") if pair.strip()]
    words = {name: _text(value) for name, _, value in pairs}
    if len(words) < len(pairs):
        raise wrong(METADATA, "中同一名称只能出现一次。")
    return read_words(words, form, "invalid_metadata")


def _text(encoded: str) -> str:
    try:
        text = b64decode(encoded.strip(), validate=True).decode()
    except ValueError:
        raise wrong(METADATA, "的值应为 UTF-8 文字的 Base64。") from None
    if "\0" in text:
        raise wrong(METADATA, "中有不能保存的字符（U+0000）。")
    return text


def checksum_of(request: Request, algorithms: tuple[str, ...]) -> tuple[str, bytes] | None:
    """Algorithm and digest of the request's body, if it tells them. Raises Invalid, Refused (400 by the protocol)."""
    given = request.headers.get(CHECKSUM.name)
    if given is None:
        return None
    algorithm, _, encoded = given.partition(" ")
    if algorithm not in algorithms:
        raise Refused("checksum_algorithm", f"校验算法只支持 {'、'.join(algorithms)}，这一段没有保存。")
    try:
        return algorithm, b64decode(encoded, validate=True)
    except binascii.Error:
        raise wrong(CHECKSUM, "的值应为 Base64。") from None


def moment(instant: datetime) -> str:
    """As HTTP writes it (RFC 9110)."""
    return format_datetime(instant.astimezone(UTC), usegmt=True)
