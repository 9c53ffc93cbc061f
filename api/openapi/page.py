"""The document as one HTML page: no script, nothing fetched."""

import hashlib
from base64 import b64encode
from collections import defaultdict
from html import escape
from typing import Any

import orjson

STYLE = """
body{font:15px/1.6 system-ui,"PingFang SC","Microsoft YaHei",sans-serif;color:#1D2129;background:#F5F7FA;margin:0}
main{max-width:960px;margin:0 auto;padding:24px}h2{margin-top:40px}
details{background:#fff;border-radius:8px;margin:8px 0;padding:10px 16px}summary{cursor:pointer}
code,pre{font:13px/1.5 ui-monospace,Consolas,monospace}pre{overflow:auto;background:#F5F7FA;padding:12px}
b{display:inline-block;min-width:64px;color:#1D5FBF}table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:4px 8px;border-bottom:1px solid #E5E6EB;vertical-align:top}
"""
_HASH = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
CONTENT_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'"


def render(document: dict[str, Any]) -> str:
    """The page, grouped by tag in order of paths."""
    groups: dict[str, list[str]] = defaultdict(list)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            groups[operation["tags"][0]].append(_operation(method, path, operation))
    sections = "".join(f"<h2>{escape(tag)}</h2>{''.join(parts)}" for tag, parts in groups.items())
    schemas = "".join(
        f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>{_json(schema)}</details>'
        for name, schema in document["components"]["schemas"].items()
    )
    title = escape(document["info"]["title"])
    return (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{title} 接口文档</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body><main>'
        f"<h1>{title} 接口文档</h1><p>{escape(document['info']['description'])}"
        f' <a href="/openapi.json">openapi.json</a></p>{sections}<h2>数据结构</h2>{schemas}</main></body></html>'
    )


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    body = operation.get("requestBody", {}).get("content", {})
    return (
        f'<details id="{escape(operation["operationId"])}"><summary><b>{method.upper()}</b> <code>{escape(path)}</code>'
        f" {escape(operation['summary'])}</summary><p>{escape(operation.get('description') or '')}</p>"
        f"{_parameters(operation.get('parameters', []))}{_content('请求', body)}"
        f"{''.join(_response(status, one) for status, one in operation['responses'].items())}</details>"
    )


def _parameters(parameters: list[dict[str, Any]]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(one['name'])}</code></td><td>{escape(one['in'])}</td>"
        f"<td>{'必填' if one.get('required') else '可选'}</td><td>{escape(one.get('description') or '')}</td></tr>"
        for one in parameters
    )
    return f"<table>{rows}</table>" if rows else ""


def _response(status: str, response: dict[str, Any]) -> str:
    return f"<p><b>{escape(status)}</b> {escape(response['description'])}</p>" + (
        _content("", response.get("content", {})) if status.startswith("2") else ""
    )


def _content(label: str, content: dict[str, Any]) -> str:
    links = ""
    for media, one in content.items():
        name = one.get("schema", {}).get("$ref", "").rpartition("/")[2]
        link = f'<a href="#{escape(name)}">{escape(name)}</a>' if name else ""
        links += f"<p>{escape(label)} <code>{escape(media)}</code> {link}</p>"
    return links


def _json(value: Any) -> str:
    return f"<pre>{escape(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())}</pre>"
