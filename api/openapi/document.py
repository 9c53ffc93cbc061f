"""Routes into OpenAPI 3.1."""

import re
from collections.abc import Iterable
from importlib.metadata import version
from itertools import groupby
from typing import Any, Literal

from openapi_pydantic import (
    Components,
    Example,
    Info,
    MediaType,
    OpenAPI,
    Operation,
    Parameter,
    PathItem,
    Reference,
    RequestBody,
    Response,
    Schema,
    SecurityScheme,
)
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.openapi.refusals import Refusal, catalogue
from api.wire.problems import MEDIA_TYPE, ROUTING, TITLES, Problem
from api.wire.routes import PUBLIC, SIGNED_IN, Route

Mode = Literal["validation", "serialization"]
Schemas = dict[tuple[Any, Mode], dict[str, Any]]
ABOUT = "开发区监督事项办理平台接口。错误一律为 RFC 9457 格式。"
REFS = "#/components/schemas/{model}"
PARAMETER = re.compile(r"<(\w+)(?::(\w+))?>")
PATH_TYPES = {"uuid": ("string", "uuid"), "int": ("integer", None), "str": ("string", None), None: ("string", None)}
PROOFS: dict[str, list[dict[str, list[str]]]] = {
    "mini": [{"mini": []}],
    "console": [{"console": []}],
    "platform": [{"platform": []}],
}
FORM = MediaType(
    schema=Schema.model_validate(
        {
            "type": "object",
            "description": "小程序 uploadFile 的表单：文件放在 file 一项，其余写在地址的参数里。",
            "properties": {"file": {"type": "string", "format": "binary"}},
            "required": ["file"],
        }
    )
)
BINARY = MediaType(schema=Schema(description="文件内容本身。"))
CODES = {
    "malformed_json": Refusal("malformed_json", 400, "请求内容不是有效的 JSON，没有做任何改动。"),
    "body_too_large": Refusal("body_too_large", 413, ROUTING[413][1]),
    "invalid_body": Refusal("invalid_body", 422, "有 1 处填写有误，没有保存。已填的内容都还在，改正后可再提交。"),
    "invalid_query": Refusal("invalid_query", 422, "有 1 处填写有误，没有保存。已填的内容都还在，改正后可再提交。"),
    "invalid_metadata": Refusal(
        "invalid_metadata", 422, "有 1 处填写有误，没有保存。已填的内容都还在，改正后可再提交。"
    ),
    "internal": Refusal("internal", 500, "服务暂时出错，已记录。请稍后重试；多次出现请提供请求编号。"),
    "unavailable": Refusal("unavailable", 503, "服务暂时不可用，没有做任何改动。请稍后重试。"),
}


def describe(routes: Iterable[Route]) -> dict[str, Any]:
    """The document of `routes`, as JSON values."""
    documented = [route for route in routes if route.documented]
    schemas, definitions = _schemas(documented)
    ordered = sorted(documented, key=lambda route: route.path)
    paths = {
        PARAMETER.sub(r"{\1}", path): PathItem(
            **{route.method.lower(): _operation(route, schemas, definitions) for route in group}
        )
        for path, group in groupby(ordered, key=lambda route: route.path)
    }
    document = OpenAPI(
        openapi="3.1.0",
        info=Info(title="着落", version=version("zhuoluo"), description=ABOUT),
        paths=paths,
        components=Components(
            schemas={name: Schema.model_validate(schema) for name, schema in definitions.items()},
            securitySchemes=_security_schemes(),
        ),
    )
    plain: dict[str, Any] = document.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
    return plain


def refusals_of(route: Route) -> list[Refusal]:
    """Every refusal `route` may answer with: those of its rules and those of the wire."""
    codes = [*_of_the_wire(route), *route.errors]
    known = catalogue()
    return [CODES.get(code) or known.get(code) or Refusal(code, 409, None) for code in dict.fromkeys(codes)]


def _of_the_wire(route: Route) -> list[str]:
    codes = ["internal", "unavailable"]
    if route.body:
        codes += ["malformed_json", "json_expected", "invalid_body"]
    if route.query or route.writes:  # an address may be too long, as a body may
        codes.append("body_too_large")
    if route.query:
        codes.append("invalid_query")
    if route.limit:
        codes.append("too_many_requests")
    if route.keyed:
        codes.append("idempotency_key_missing")
    if route.idempotent == "kept":
        codes += ["idempotency_key_reused", "in_progress"]
    return codes + _of_the_caller(route)


def _of_the_caller(route: Route) -> list[str]:
    if route.roles == PUBLIC:
        return []
    codes = {
        "mini": ["token_missing", "token_invalid", "token_expired", "sign_in_ended"],
        "console": ["session_ended", *(["csrf_token_wrong"] if route.writes else [])],
        "platform": ["token_missing", "service_token_invalid"],
    }[route.audience]
    return codes if route.roles == SIGNED_IN else [*codes, "role_missing"]


def _schemas(routes: list[Route]) -> tuple[Schemas, dict[str, Any]]:
    """References by (class, mode), and the definitions they point at."""
    wanted: dict[tuple[Any, Mode], None] = {(Problem, "serialization"): None}
    for route in routes:
        for form in (route.body, route.query):
            if form:
                wanted[form, "validation"] = None
        if _is_form(route.reply):
            wanted[route.reply, "serialization"] = None
    references, definitions = models_json_schema(list(wanted), ref_template=REFS)
    return references, definitions["$defs"]


def _is_form(reply: Any) -> bool:
    return isinstance(reply, type) and issubclass(reply, BaseModel)


def _operation(route: Route, schemas: Schemas, definitions: dict[str, Any]) -> Operation:
    body = None
    if route.body:
        media = MediaType(schema=Reference.model_validate(schemas[route.body, "validation"]))
        body = RequestBody(required=True, content={"application/json": media})
    elif route.stream:
        content = {kind: FORM if kind == "multipart/form-data" else BINARY for kind in route.takes}
        body = RequestBody(required=route.keyed, content=content)
    return Operation(
        tags=[route.tag],
        summary=route.summary,
        description=route.handler.__doc__,
        operationId=route.name,
        parameters=_parameters(route, schemas, definitions) or None,
        requestBody=body,
        responses={**_success(route, schemas), **_failures(route)},
        security=_security(route),
    )


def _security(route: Route) -> list[dict[str, list[str]]]:
    if route.roles == PUBLIC:
        return []
    if route.audience == "console" and route.writes:
        return [{"console": [], "csrf": []}]
    return PROOFS[route.audience]


def _parameters(route: Route, schemas: Schemas, definitions: dict[str, Any]) -> list[Parameter]:
    found = [_path_parameter(name, kind) for name, kind in PARAMETER.findall(route.path)]
    if route.keyed:
        key = Schema(type="string", schema_format="uuid", examples=["0193a5b0-7c1e-7000-8000-000000000001"])
        detail = "客户端生成的 UUID；网络不好重发时用同一个，只会办一次。"
        found.append(
            Parameter(name="Idempotency-Key", **{"in": "header"}, required=True, description=detail, param_schema=key)
        )
    for header in route.asks:
        schema = Schema(type="string", examples=[header.example])
        told = {"in": "header", "required": header.required, "description": header.description}
        found.append(Parameter(name=header.name, param_schema=schema, **told))
    if "if_match_missing" in route.errors:
        version = Schema(type="string", examples=['"3"'])
        found.append(Parameter(name="If-Match", **{"in": "header"}, required=True, param_schema=version))
    if route.query:
        name = schemas[route.query, "validation"]["$ref"].rpartition("/")[2]
        found += _query_parameters(definitions[name])
    return found


def _path_parameter(name: str, kind: str) -> Parameter:
    json_type, json_format = PATH_TYPES.get(kind or None, ("string", None))
    schema = Schema.model_validate({"type": json_type, **({"format": json_format} if json_format else {})})
    return Parameter(name=name, **{"in": "path"}, required=True, param_schema=schema)


def _query_parameters(form: dict[str, Any]) -> list[Parameter]:
    required = form.get("required", ())
    return [
        Parameter(
            name=name,
            **{"in": "query"},
            required=name in required,
            description=schema.get("description"),
            param_schema=Schema.model_validate(schema),
        )
        for name, schema in form.get("properties", {}).items()
    ]


def _success(route: Route, schemas: Schemas) -> dict[str, Response]:
    if route.reply is None and route.media_type == "application/json":
        return {"204": Response(description="已办理，没有内容。")}
    if _is_form(route.reply):
        schema: Reference | Schema = Reference.model_validate(schemas[route.reply, "serialization"])
    else:
        schema = Schema(type="string") if route.media_type.startswith("text/") else Schema()
    return {str(route.status): Response(description="成功。", content={route.media_type: MediaType(schema=schema)})}


def _failures(route: Route) -> dict[str, Response]:
    refusals = sorted(refusals_of(route), key=lambda refusal: refusal.status)
    return {str(status): _failure(status, list(group)) for status, group in groupby(refusals, lambda one: one.status)}


def _failure(status: int, refusals: list[Refusal]) -> Response:
    examples = {one.code: Example(summary=one.detail, value=_example(one)) for one in refusals}
    problem = MediaType(schema=Reference.model_validate({"$ref": REFS.format(model="Problem")}), examples=examples)
    codes = "、".join(one.code for one in refusals)
    return Response(description=f"{TITLES.get(status, '')}：{codes}", content={MEDIA_TYPE: problem})


def _example(refusal: Refusal) -> dict[str, Any]:
    return {
        "type": f"urn:zhuoluo:problem:{refusal.code}",
        "title": TITLES.get(refusal.status, ""),
        "status": refusal.status,
        "code": refusal.code,
        "detail": refusal.detail or TITLES.get(refusal.status, ""),
        "faults": [],
        "request_id": "0d7f6a52-5f0e-4b7a-9c0e-6f2f3a9d1c11",
    }


def _security_schemes() -> dict[str, SecurityScheme | Reference]:
    bearer = {"type": "http", "scheme": "bearer"}
    return {
        "mini": SecurityScheme.model_validate({**bearer, "bearerFormat": "JWT", "description": "小程序访问凭证。"}),
        "platform": SecurityScheme.model_validate({**bearer, "description": "其他平台的服务令牌。"}),
        "console": SecurityScheme.model_validate(
            {"type": "apiKey", "in": "cookie", "name": "__Host-zl_session", "description": "控制台登录。"}
        ),
        "csrf": SecurityScheme.model_validate(
            {"type": "apiKey", "in": "header", "name": "X-CSRF-Token", "description": "登录时返回的 csrf_token。"}
        ),
    }
