"""Working days as the State Council announces them, with 调休, per zone.

Every year's notice is kept in versions; deadlines are counted on the newest. A year that is not announced yet falls
back to weekdays and says so (`Calendar.announced`, `Calendar.caveat`).
"""

from models.base.calendar.days import Calendar
from models.base.calendar.notices import (
    CHANGED,
    HolidayNotice,
    calendar_of,
    import_notice,
    notices_of,
    seed_notices,
)
from models.base.calendar.workbook import read_notice

__all__ = [
    "CHANGED",
    "Calendar",
    "HolidayNotice",
    "calendar_of",
    "import_notice",
    "notices_of",
    "read_notice",
    "seed_notices",
]
