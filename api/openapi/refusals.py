"""Every refusal the rules can give, read from their source: its code, its status and the sentence a cadre sees."""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from api.wire import tus, versions
from models.base import errors

ROOT = Path(__file__).parents[2]
FOLDERS = ("models", "api", "gateways/store")
CLASSES: dict[str, type[errors.Refused]] = {
    name: kind
    for module in (errors, versions, tus)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, errors.Refused)
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One stable code. `detail` is None where the sentence is put together at run time."""

    code: str
    status: int
    detail: str | None


@cache
def catalogue() -> dict[str, Refusal]:
    """By code. A code that several classes use keeps the status seen first, in the order of files."""
    found = {"not_found": Refusal("not_found", 404, "没有找到，或者不在您的工作范围内。")}
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            for refusal in _raised_in(ast.parse(file.read_text(encoding="utf-8"))):
                found.setdefault(refusal.code, refusal)
    return found


def _raised_in(tree: ast.Module) -> Iterator[Refusal]:
    for part in ast.walk(tree):
        if isinstance(part, ast.ClassDef):  # one with a code of its own says it to `super().__init__`
            known = [CLASSES[base.id] for base in part.bases if isinstance(base, ast.Name) and base.id in CLASSES]
            yield from _made_in(part, {"__init__": known[0]} if known else {})
        elif isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from _made_in(part, CLASSES)


def _made_in(part: ast.AST, classes: Mapping[str, type[errors.Refused]]) -> Iterator[Refusal]:
    sentences = dict(_assigned_texts(part))
    for call in ast.walk(part):
        if isinstance(call, ast.Call) and call.args and (kind := classes.get(_name_of(call))):
            code = _text(call.args[0], sentences)
            detail = _text(call.args[1], sentences) if len(call.args) > 1 else None
            if code:
                yield Refusal(code, kind.status, detail)


def _name_of(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _assigned_texts(function: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and (text := _text(node.value, {})):
            yield from ((target.id, text) for target in node.targets if isinstance(target, ast.Name))


def _text(node: ast.expr, sentences: dict[str, str]) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.IfExp):
        return _text(node.body, sentences) or _text(node.orelse, sentences)
    return sentences.get(node.id) if isinstance(node, ast.Name) else None
