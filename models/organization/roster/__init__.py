"""The roster workbook (docs/formats.md): the whole zone's units, people, appointments and roles, in and out."""

from models.organization.roster.export import export_roster
from models.organization.roster.importing import RosterImport, import_roster
from models.organization.roster.merging import SheetChanges
from models.organization.roster.proposals import decide_proposal, open_proposals

__all__ = [
    "RosterImport",
    "SheetChanges",
    "decide_proposal",
    "export_roster",
    "import_roster",
    "open_proposals",
]
