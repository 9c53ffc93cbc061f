"""Zones, the unit tree, posts, people, appointments, delegations, roles per subtree and WeChat bindings."""

from models.organization.bindings import bind, binding_by_openid, binding_of, unbind
from models.organization.chains import Chain, chain_of, chains_of
from models.organization.people import (
    delegate,
    delegations,
    end_delegation,
    person_by_phone,
    person_of,
    scope_of,
    stand_in,
)
from models.organization.roster import (
    RosterImport,
    SheetChanges,
    decide_proposal,
    export_roster,
    import_roster,
    open_proposals,
)
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
from models.organization.zones import ZoneSettings, change_settings, create_zone, settings_of, zone_of

__all__ = [
    "Appointment",
    "Binding",
    "Chain",
    "Delegation",
    "Person",
    "Post",
    "PostRank",
    "RoleGrant",
    "RosterImport",
    "SheetChanges",
    "UnbindingProposal",
    "Unit",
    "UnitKind",
    "Zone",
    "ZoneSettings",
    "bind",
    "binding_by_openid",
    "binding_of",
    "chain_of",
    "chains_of",
    "change_settings",
    "create_zone",
    "decide_proposal",
    "delegate",
    "delegations",
    "end_delegation",
    "export_roster",
    "import_roster",
    "open_proposals",
    "person_by_phone",
    "person_of",
    "scope_of",
    "settings_of",
    "stand_in",
    "unbind",
    "zone_of",
]
