"""The tables of the organization."""

from enum import StrEnum
from typing import Any

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import UniqueConstraint
from tortoise.models import Model

from models.base.database import Row
from models.base.ids import new_id
from models.base.scope import Role


def kept(model: str) -> Any:
    """To a row that is never deleted: without the database's check, which would be half of a roster import's time."""
    return fields.ForeignKeyField(model, on_delete=fields.NO_ACTION, db_constraint=False)


class UnitKind(StrEnum):
    """Kinds of unit (domain.md §2)."""

    WORK_COMMITTEE = "work_committee"
    DISCIPLINE_COMMITTEE = "discipline_committee"
    DEPARTMENT = "department"
    SUBDISTRICT = "subdistrict"
    VILLAGE = "village"
    GROUP = "group"
    GROUP_COMMISSION = "group_commission"
    SOE = "soe"


class PostRank(StrEnum):
    """A post's rank in its unit: 主要负责人, 分管负责人, 成员."""

    PRINCIPAL = "principal"
    DEPUTY = "deputy"
    MEMBER = "member"


class Zone(Model):
    """The tenant. `settings` overrides the defaults of the rules that name them (quiet hours, budget, templates)."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    code = fields.CharField(max_length=32, unique=True)
    name = fields.CharField(max_length=80)
    settings: dict[str, Any] = fields.JSONField(default=dict)
    created_at = fields.DatetimeField()

    class Meta:
        table = "zone"


class Unit(Row):
    """A unit of the tree. `path` is `/root-code/…/own-code/`: a subtree is a prefix."""

    code = fields.CharField(max_length=32)
    name = fields.CharField(max_length=120)
    kind = fields.CharEnumField(UnitKind, max_length=24)
    parent: fields.ForeignKeyNullableRelation["Unit"] = fields.ForeignKeyField(
        "models.Unit", null=True, on_delete=fields.RESTRICT, related_name="children"
    )
    path = fields.CharField(max_length=400)
    active = fields.BooleanField(default=True)

    class Meta:
        table = "unit"
        constraints = [UniqueConstraint(fields=("zone_id", "code"), name="unit_code_once")]
        indexes = [Index(fields=("zone_id", "path"), name="unit_of_subtree")]


class Post(Row):
    """A post in a unit; who holds it, and when, are appointments."""

    unit: fields.ForeignKeyRelation[Unit] = fields.ForeignKeyField("models.Unit", on_delete=fields.RESTRICT)
    title = fields.CharField(max_length=80)
    rank = fields.CharEnumField(PostRank, max_length=16)

    class Meta:
        table = "post"
        constraints = [UniqueConstraint(fields=("zone_id", "unit_id", "title", "rank"), name="post_once")]


class Person(Row):
    """Somebody of the roster. `active` ends with the roster, never by deletion."""

    staff_no = fields.CharField(max_length=32)
    name = fields.CharField(max_length=40)
    phone = fields.CharField(max_length=11, null=True)  # null once the number is somebody else's
    wecom = fields.CharField(max_length=64, null=True)  # userid at WeCom (企业微信账号)
    active = fields.BooleanField(default=True)

    class Meta:
        table = "person"
        constraints = [
            UniqueConstraint(fields=("zone_id", "staff_no"), name="person_staff_no_once"),
            UniqueConstraint(fields=("zone_id", "phone"), name="person_phone_once"),
        ]


class Appointment(Row):
    """A person on a post, from a day until a day (included; open where null)."""

    person: fields.ForeignKeyRelation[Person] = kept("models.Person")
    post: fields.ForeignKeyRelation[Post] = kept("models.Post")
    from_on = fields.DateField()
    until_on = fields.DateField(null=True)
    acting = fields.BooleanField(default=False)

    class Meta:
        table = "appointment"
        constraints = [UniqueConstraint(fields=("zone_id", "person_id", "post_id", "from_on"), name="appointment_once")]
        indexes = [Index(fields=("zone_id", "post_id"), name="appointment_of_post")]


class Delegation(Row):
    """While absent, `person`'s matters go to `delegate` (days included)."""

    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "models.Person", on_delete=fields.RESTRICT, related_name="delegations"
    )
    delegate: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "models.Person", on_delete=fields.RESTRICT, related_name="delegated"
    )
    from_on = fields.DateField()
    until_on = fields.DateField()
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "delegation"
        indexes = [
            Index(fields=("zone_id", "person_id", "until_on"), name="delegation_of_person"),
            Index(fields=("zone_id", "delegate_id", "until_on"), name="delegation_to_delegate"),
        ]


class RoleGrant(Row):
    """A role of a person over a unit's subtree."""

    person: fields.ForeignKeyRelation[Person] = kept("models.Person")
    role = fields.CharEnumField(Role, max_length=16)
    unit: fields.ForeignKeyRelation[Unit] = kept("models.Unit")

    class Meta:
        table = "role_grant"
        constraints = [UniqueConstraint(fields=("zone_id", "person_id", "role", "unit_id"), name="role_grant_once")]


class Binding(Row):
    """A person's WeChat: one openid a person, one person an openid, as long as it is not unbound."""

    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField("models.Person", on_delete=fields.RESTRICT)
    openid = fields.CharField(max_length=64)
    unionid = fields.CharField(max_length=64, null=True)
    bound_at = fields.DatetimeField()
    unbound_at = fields.DatetimeField(null=True)
    unbound_why = fields.CharField(max_length=32, null=True)

    class Meta:
        table = "binding"
        constraints = [
            UniqueConstraint(
                fields=("zone_id", "person_id"), name="binding_one_a_person", condition="unbound_at IS NULL"
            ),
            UniqueConstraint(fields=("openid",), name="binding_one_an_openid", condition="unbound_at IS NULL"),
        ]


class UnbindingProposal(Row):
    """A person who vanished from the roster: an admin decides whether the binding ends."""

    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField("models.Person", on_delete=fields.RESTRICT)
    proposed_at = fields.DatetimeField()
    decided_at = fields.DatetimeField(null=True)
    accepted = fields.BooleanField(null=True)

    class Meta:
        table = "unbinding_proposal"
        constraints = [
            UniqueConstraint(
                fields=("zone_id", "person_id"), name="unbinding_proposed_once", condition="decided_at IS NULL"
            )
        ]
