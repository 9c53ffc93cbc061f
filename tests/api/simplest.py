"""The simplest value that a schema of the OpenAPI document allows: what is required, examples before inventions."""

from typing import Any

from api.app import collect
from api.openapi import describe

DOCUMENT = describe(collect())
FORMATS = {
    "uuid": "0193a5b0-7c1e-7000-8000-0000000000ff",
    "date": "2027-03-01",
    "date-time": "2026-07-01T10:20:00+08:00",
}


def simplest(schema: dict[str, Any]) -> Any:
    """A value of `schema`, by the document's components."""
    for told in ("const", "default"):
        if told in schema:
            return schema[told]
    for told in ("examples", "enum"):
        if schema.get(told):
            return schema[told][0]
    if "$ref" in schema:
        return simplest(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())):
        return simplest(choice)
    return _of_type(schema)


def _of_type(schema: dict[str, Any]) -> Any:
    match schema.get("type"):
        case "object":
            return {name: simplest(schema["properties"][name]) for name in schema.get("required", ())}
        case "array":
            return [simplest(schema["items"])] * schema.get("minItems", 0)
        case "string":
            return FORMATS.get(schema.get("format", ""), "说" * max(1, schema.get("minLength", 0)))
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
    return None
