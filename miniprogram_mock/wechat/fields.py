"""What a message template's values may look like. A field's type is its name without digits: `thing1` is a `thing`.

Source: the platform's parameter rules for subscribe messages (design/wechat.md). Where the rules leave a form
unmentioned (such as `2026-11-24`), it is refused here, so that the product keeps to what is documented.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from .errors import Refusal

_CJK = "\u4e00-\u9fff\u3400-\u4dbf"
_DAY = r"\d{4}年(0?[1-9]|1[0-2])月(0?[1-9]|[12]\d|3[01])日"
_HOUR = r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?"
_TIME = rf"({_DAY} ?)?{_HOUR}"
_DATE = rf"{_DAY}( ?{_HOUR})?"
_PATTERNS = {
    "thing": r".{1,20}",
    "character_string": rf"[^{_CJK}\uff00-\uffef\u3000-\u303f]{{1,32}}",
    "number": r"(?=.{1,32}$)-?\d+(\.\d+)?",
    "letter": r"[A-Za-z]{1,32}",
    "symbol": r"[^\w\s]{1,5}",
    "phrase": rf"[{_CJK}]{{1,5}}",
    "name": rf"(?=.*[{_CJK}]).{{1,10}}|[^{_CJK}]{{1,20}}",
    "amount": r"[¥￥$€£]?\d{1,10}(\.\d+)?元?",
    "phone_number": r"[\d+() -]{1,17}",
    "car_number": rf"[{_CJK}A-Z0-9]{{1,8}}",
    "time": rf"{_TIME}(~{_TIME})?",
    "date": rf"{_DATE}(~{_DATE})?",
}
_FREE_TEXT = re.compile(r".{1,200}")
"""`keyword1` and other names of the service account's older templates carry no type."""
_RULES: dict[str, Callable[[str], object]] = {kind: re.compile(text).fullmatch for kind, text in _PATTERNS.items()}
_DIGITS = "0123456789"
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")


def value_is_valid(field: str, value: str) -> bool:
    """Whether the platform would take `value` for `field`."""
    if _CONTROL.search(value) or not value.strip():
        return False
    rule = _RULES.get(field.rstrip(_DIGITS), _FREE_TEXT.fullmatch)
    return bool(rule(value))


def read_values(data: object, required: frozenset[str], optional: frozenset[str]) -> dict[str, str]:
    """`{"thing1": {"value": "…"}}` as `{"thing1": "…"}`; raises Refusal 47003 which names the first bad field."""
    if not isinstance(data, Mapping):
        raise Refusal(47001)
    values: dict[str, str] = {}
    for field, holder in data.items():
        value = holder.get("value") if isinstance(holder, Mapping) else None
        known = field in required or field in optional
        if not known or not isinstance(value, str) or not value_is_valid(field, value):
            raise Refusal(47003, f"argument invalid! data.{field}.value invalid")
        values[field] = value
    for field in sorted(required - values.keys()):
        raise Refusal(47003, f"argument invalid! data.{field}.value is empty")
    return values
