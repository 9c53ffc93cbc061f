"""Message templates that the accounts have chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .errors import Refusal

ONE_TIME, LONG_TERM = 2, 3


@dataclass(frozen=True, slots=True)
class Template:
    """`required` and `optional` map field names to what the phone shows before their values."""

    template_id: str
    title: str
    account: str
    kind: int
    required: Mapping[str, str]
    optional: Mapping[str, str]
    names: tuple[frozenset[str], frozenset[str]]

    def described(self) -> dict[str, object]:
        """The template as the control API takes it."""
        fields = {**self.required, **{f"{name}?": label for name, label in self.optional.items()}}
        return {
            "template_id": self.template_id,
            "title": self.title,
            "account": self.account,
            "kind": self.kind,
            "fields": fields,
        }

    def label(self, field: str) -> str:
        """What the phone shows before the field's value."""
        return self.required.get(field) or self.optional.get(field) or field


def make_template(template_id: str, title: str, account: str, kind: int, fields: Mapping[str, str]) -> Template:
    """A template whose `fields` may end with `?`, which means that a message may leave them out."""
    required = {name: label for name, label in fields.items() if not name.endswith("?")}
    optional = {name[:-1]: label for name, label in fields.items() if name.endswith("?")}
    names = frozenset(required), frozenset(optional)
    return Template(template_id, title, account, kind, required, optional, names)


class Templates:
    """Known templates by id."""

    def __init__(self) -> None:
        self._known: dict[str, Template] = {}
        brief = {"thing1": "提醒内容", "time2?": "时间", "character_string3?": "编号"}
        self.add(make_template("ZL_TODO", "待办提醒", "mini", ONE_TIME, brief))
        older = {"keyword1?": "事项", "keyword2?": "时间"}
        self.add(make_template("ZL_NOTICE", "待办提醒", "service", ONE_TIME, brief | older))

    def add(self, template: Template) -> None:
        """Register it, or replace the one with the same id."""
        self._known[template.template_id] = template

    def find(self, template_id: object) -> Template | None:
        """By id."""
        return self._known.get(template_id) if isinstance(template_id, str) else None

    def require(self, template_id: object, account: str) -> Template:
        """By id within an account; raises Refusal 40037."""
        template = self.find(template_id)
        if template is None or template.account != account:
            raise Refusal(40037)
        return template

    def all(self) -> list[Template]:
        """Every template, oldest first."""
        return list(self._known.values())
