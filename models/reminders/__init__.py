"""One thing for one person: put into their inbox, acknowledged by them, settled as the matter moves on (domain.md §4).

An acknowledgement is shown; reading is not recorded anywhere.
"""

from models.reminders.acknowledging import Acknowledgement, acknowledge, acknowledge_alone
from models.reminders.reading import inbox
from models.reminders.reminding import (
    ACKNOWLEDGED,
    EXPIRE,
    HOLDS_WORKING_DAYS,
    after_acknowledgement,
    expire,
    remind,
    settle,
)
from models.reminders.tables import Reminder, ReminderKind, ReminderState

__all__ = [
    "ACKNOWLEDGED",
    "EXPIRE",
    "HOLDS_WORKING_DAYS",
    "Acknowledgement",
    "Reminder",
    "ReminderKind",
    "ReminderState",
    "acknowledge",
    "acknowledge_alone",
    "after_acknowledgement",
    "expire",
    "inbox",
    "remind",
    "settle",
]
