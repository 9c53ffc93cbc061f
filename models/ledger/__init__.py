"""台账: campaigns with three lists of items, each with an owner, a chain and a deadline, until its close-out."""

from models.ledger.cycles import confirm, reopen
from models.ledger.deadlines import TIMED, Deadline, caveat, recount
from models.ledger.drafts import Matter, campaign_of, campaigns, create_campaign, draft, revise
from models.ledger.extensions import ask_extension, decide_extension
from models.ledger.issuing import Issued, issue, issue_campaign
from models.ledger.people import readable
from models.ledger.pressing import hold, release, urge
from models.ledger.previewing import Day, Foretold, Preview, preview_campaign, preview_item, simulate
from models.ledger.reading import (
    Filters,
    Moment,
    Whole,
    items,
    mine,
    overdue,
    timeline,
    to_review,
    whole,
)
from models.ledger.reviewing import oversight_review, unit_review
from models.ledger.sides import (
    STAGE_REVIEW,
    SUSPENSION_ENDS,
    call_stage_review,
    cancel,
    end_suspension,
    make_long_term,
    resume,
    review_stage,
    suspend,
)
from models.ledger.similar import Likeness, similar_open
from models.ledger.tables import (
    OPEN,
    Campaign,
    Classification,
    Cycle,
    Extension,
    ExtensionState,
    Item,
    ListKind,
    NumberSeries,
    Report,
    State,
)
from models.ledger.transitions import TABLE, Action, Party, Transition
from models.ledger.urging import urge
from models.ledger.workbook import Imported, SimilarRow, export_items, import_items
from models.ledger.working import count_evidence, receive, report, request_close_out

__all__ = [
    "OPEN",
    "STAGE_REVIEW",
    "SUSPENSION_ENDS",
    "TABLE",
    "TIMED",
    "Action",
    "Campaign",
    "Classification",
    "Cycle",
    "Day",
    "Deadline",
    "Extension",
    "ExtensionState",
    "Filters",
    "Foretold",
    "Imported",
    "Issued",
    "Item",
    "Likeness",
    "ListKind",
    "Matter",
    "Moment",
    "NumberSeries",
    "Party",
    "Preview",
    "Report",
    "SimilarRow",
    "State",
    "Transition",
    "Whole",
    "ask_extension",
    "call_stage_review",
    "campaign_of",
    "campaigns",
    "cancel",
    "caveat",
    "confirm",
    "count_evidence",
    "create_campaign",
    "decide_extension",
    "draft",
    "end_suspension",
    "export_items",
    "hold",
    "import_items",
    "issue",
    "issue_campaign",
    "items",
    "make_long_term",
    "mine",
    "overdue",
    "oversight_review",
    "preview_campaign",
    "preview_item",
    "readable",
    "receive",
    "recount",
    "release",
    "reopen",
    "report",
    "request_close_out",
    "resume",
    "review_stage",
    "revise",
    "similar_open",
    "simulate",
    "suspend",
    "timeline",
    "to_review",
    "unit_review",
    "urge",
    "whole",
]
