"""`ETag` and `If-Match`: a console edit names the version it was made from, and loses to one that came first."""

import re

from sanic import Request

from models.base.errors import Refused

_STRONG = re.compile(r'"(\d{1,18})"')


class VersionMissing(Refused):
    """An edit without `If-Match`."""

    status = 428


class VersionPassed(Refused):
    """Somebody else's edit came first."""

    status = 412


def etag(version: int) -> str:
    """The header's value for a row's version number."""
    return f'"{version}"'


def expected_version(request: Request) -> int:
    """The version that the client's edit was made from. Raises VersionMissing, VersionPassed."""
    given = request.headers.get("if-match")
    if given is None:
        raise VersionMissing("if_match_missing", "修改时需要带上读取时的版本号（If-Match）。")
    match = _STRONG.fullmatch(given.strip())
    if match is None:
        raise version_passed()
    return int(match[1])


def version_passed() -> VersionPassed:
    """What a rule's caller raises when the row's version is another one."""
    return VersionPassed("version_passed", "内容已被他人修改，您的修改没有保存。请刷新后再改。")
