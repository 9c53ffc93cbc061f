"""常态化“回头看”: closed items drawn at random, visited by inspectors of other units, found settled or opened again."""

from models.lookbacks.drawing import (
    Assigned,
    Candidate,
    Drawing,
    DrawRecord,
    Inspector,
    draw,
    population_hash,
    verify,
)
from models.lookbacks.draws import Preview, draw_of, draw_visits, preview
from models.lookbacks.facts import Check, Place, VisitFacts, checklist
from models.lookbacks.plans import PlanFacts, plan, plan_of, plans
from models.lookbacks.populations import Population
from models.lookbacks.recording import cosign, record_from_paper, record_visit
from models.lookbacks.signals import signals_of
from models.lookbacks.tables import (
    Cosignature,
    Effect,
    Finding,
    LookbackDraw,
    LookbackPlan,
    Source,
    Strata,
    Verdict,
    Visit,
    VisitRecord,
)
from models.lookbacks.visits import (
    VisitView,
    my_visit,
    my_visits,
    names_of,
    progress,
    refuse_stranger,
    to_cosign,
    visit_of,
    visits_of,
)

__all__ = [
    "Assigned",
    "Candidate",
    "Check",
    "Cosignature",
    "DrawRecord",
    "Drawing",
    "Effect",
    "Finding",
    "Inspector",
    "LookbackDraw",
    "LookbackPlan",
    "Place",
    "PlanFacts",
    "Population",
    "Preview",
    "Source",
    "Strata",
    "Verdict",
    "Visit",
    "VisitFacts",
    "VisitRecord",
    "VisitView",
    "checklist",
    "cosign",
    "draw",
    "draw_of",
    "draw_visits",
    "my_visit",
    "my_visits",
    "names_of",
    "plan",
    "plan_of",
    "plans",
    "population_hash",
    "preview",
    "progress",
    "record_from_paper",
    "record_visit",
    "refuse_stranger",
    "signals_of",
    "to_cosign",
    "verify",
    "visit_of",
    "visits_of",
]
