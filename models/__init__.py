"""What is true: each concept's tables, states and rules, together under the concept's own name.

The concepts stand on one another in the order of `MODULES`; a concept may import those above it, never
those below (kept by import-linter). `base` belongs to all of them.
"""

MODULES = (
    "models.base.outbox",
    "models.base.alarms",
    "models.base.audit",
    "models.base.calendar",
    "models.organization",
    "models.accounts",
    "models.feedback",
    "models.deliveries",
    "models.reminders",
    "models.escalations",
    "models.ledger",
    "models.evidence",
    "models.lookbacks",
    "models.months",
    "models.packs",
    "models.personal_data",
    "models.callbacks",
)
