"""Bodies and queries into schemas; every fault named at once, as a JSON pointer and a Chinese sentence."""

from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from sanic import Request

from models.base.errors import Fault, Invalid, Refused, UnsupportedType

Form = TypeVar("Form", bound=BaseModel)
JSON_LIMIT = 64 * 1024

DETAILS = {
    "missing": "这一项必须填写。",
    "extra_forbidden": "没有这一项，请去掉。",
    "string_type": "这一项应为文字。",
    "string_too_short": "这一项至少 {min_length} 个字。",
    "string_too_long": "这一项最多 {max_length} 个字。",
    "string_pattern_mismatch": "这一项的格式不对。",
    "int_type": "这一项应为整数。",
    "int_parsing": "这一项应为整数。",
    "int_from_float": "这一项应为整数。",
    "float_type": "这一项应为数字。",
    "float_parsing": "这一项应为数字。",
    "finite_number": "这一项应为有限的数字。",
    "bool_type": "这一项应为是或否（true 或 false）。",
    "bool_parsing": "这一项应为是或否（true 或 false）。",
    "uuid_type": "这一项应为编号（UUID）。",
    "uuid_parsing": "这一项应为编号（UUID）。",
    "enum": "这一项只能取：{expected}。",
    "literal_error": "这一项只能取：{expected}。",
    "greater_than": "这一项应大于 {gt}。",
    "greater_than_equal": "这一项不能小于 {ge}。",
    "less_than": "这一项应小于 {lt}。",
    "less_than_equal": "这一项不能大于 {le}。",
    "too_short": "这一项至少要有 {min_length} 个。",
    "too_long": "这一项最多 {max_length} 个。",
    "list_type": "这一项应为列表。",
    "dict_type": "这一项应为对象。",
    "model_type": "这里应为一个 JSON 对象。",
    "model_attributes_type": "这里应为一个 JSON 对象。",
    "union_tag_invalid": "这一项的类型不对。",
    "union_tag_not_found": "缺少类型。",
}
KINDS = {"date": "这一项应为日期，如 2026-11-28。", "time": "这一项应为时间，如 2026-11-28T15:00:00+08:00。"}


async def read_body(request: Request, form: type[Form], limit: int) -> Form:
    """The JSON body as `form`. Raises UnsupportedType, Refused (`malformed_json`), Invalid; 413 over `limit`."""
    await receive(request, limit)
    kind = request.headers.get("content-type", "").split(";", 1)[0].strip().lower()
    if kind != "application/json":
        raise UnsupportedType("json_expected", "请求内容应为 JSON（application/json）。")
    _refuse_nul(b"\\u0000" in request.body, "invalid_body")
    try:
        return form.model_validate_json(request.body, strict=True)
    except ValidationError as fault:
        raise _refusal(fault, "invalid_body") from None


def read_query(request: Request, form: type[Form]) -> Form:
    """The query string as `form`; a parameter may repeat only where the form has a list. Raises Invalid."""
    asked = request.get_args(keep_blank_values=True)
    given = {name: values if len(values) > 1 or _is_list(form, name) else values[0] for name, values in asked.items()}
    _refuse_nul(any("\0" in value for values in asked.values() for value in values), "invalid_query")
    return read_words(given, form, "invalid_query")


def read_words(given: Mapping[str, Any], form: type[Form], code: str) -> Form:
    """What was said in words, by name, as `form`. Raises Invalid under `code`."""
    try:
        return form.model_validate(given)
    except ValidationError as fault:
        raise _refusal(fault, code) from None


async def receive(request: Request, limit: int) -> None:
    """Read the whole body, at most `limit` bytes (Sanic answers 413 and hangs up past that)."""
    if request.stream is not None and request.stream.request_body:
        request.stream.request_max_size = limit
        await request.receive_body()


def _refuse_nul(found: bool, code: str) -> None:
    """The one character that PostgreSQL's text cannot hold, and nobody types. Raises Invalid."""
    if found:
        raise Invalid(code, "文字中有不能保存的字符（U+0000），没有保存。")


def _is_list(form: type[BaseModel], name: str) -> bool:
    field = form.model_fields.get(name)
    if field is None:
        return False
    kinds = (field.annotation, *get_args(field.annotation))
    return any(get_origin(kind) in (list, set, tuple, frozenset) for kind in kinds)


def _refusal(fault: ValidationError, code: str) -> Refused:
    errors = fault.errors(include_url=False, include_input=False)
    if errors[0]["type"] == "json_invalid":
        return Refused("malformed_json", "请求内容不是有效的 JSON，没有做任何改动。")
    faults = tuple(_fault(error) for error in errors[:100])
    return Invalid(code, f"有 {len(faults)} 处填写有误，没有保存。已填的内容都还在，改正后可再提交。", faults=faults)


def _fault(error: ErrorDetails) -> Fault:
    return Fault(pointer(error["loc"]), error["type"], _detail(error))


def pointer(place: tuple[int | str, ...]) -> str:
    """RFC 6901: `('checks', 0, 'note')` → `/checks/0/note`."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in place)


def _detail(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "value_error":  # a validator of ours: it speaks Chinese itself
        return str(context["error"])
    for prefix, sentence in KINDS.items():
        if kind.startswith(prefix):
            return sentence
    return DETAILS.get(kind, "这一项的内容不正确。").format_map(_Known(context))


class _Known(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"
