"""Zones, the unit tree, posts, people, appointments, delegations, roles per subtree and WeChat bindings."""

from models.organization.tables import (
    Appointment,
    Binding,
    Delegation,
    Person,
    Post,
    PostRank,
    RoleGrant,
    UnbindingProposal,
    Unit,
    UnitKind,
    Zone,
)

__all__ = [
    "Appointment",
    "Binding",
    "Delegation",
    "Person",
    "Post",
    "PostRank",
    "RoleGrant",
    "UnbindingProposal",
    "Unit",
    "UnitKind",
    "Zone",
]
