"""Every message to a phone: channel, consent, budget, quiet hours, attempt, outcome (domain.md §4).

The in-app inbox always has the reminder. Beyond it a delivery goes over the first channel of the zone's order that is
open to the person: a subscribe message, a template message of the service account, a WeCom message, an SMS. Texts are
neutral: a count and an opaque reference.
"""

from models.deliveries.beginning import begin
from models.deliveries.burden import Burden, UnitBurden, burden_by_unit, my_burden
from models.deliveries.conclusions import (
    UNKNOWN_WAITS,
    News,
    OutcomeNotWritten,
    conclude,
    owe_next,
    recover,
    settle_unknown,
)
from models.deliveries.consents import CREDIT_REPORT, credit, credit_report, remaining, report, revoke
from models.deliveries.followers import follow, unfollow, zone_of_unionid
from models.deliveries.forecasting import Forecast, Notice, forecast
from models.deliveries.forgetting import forget_phones
from models.deliveries.outcomes import (
    Resolution,
    deliveries,
    outcomes,
    outcomes_of_week,
    resolutions,
    unknown_since,
)
from models.deliveries.owing import GATHER, owe, withdraw
from models.deliveries.pausing import pause, paused_channels, pauses, resume
from models.deliveries.pushes import LEASE, Conclusion, Push
from models.deliveries.tables import Channel, Consent, Delivery, DeliveryState, Follower, Pause
from models.deliveries.ways import REPEATABLE, Way

__all__ = [
    "CREDIT_REPORT",
    "GATHER",
    "LEASE",
    "REPEATABLE",
    "UNKNOWN_WAITS",
    "Burden",
    "Channel",
    "Conclusion",
    "Consent",
    "Delivery",
    "DeliveryState",
    "Follower",
    "Forecast",
    "News",
    "Notice",
    "OutcomeNotWritten",
    "Pause",
    "Push",
    "Resolution",
    "UnitBurden",
    "Way",
    "begin",
    "burden_by_unit",
    "conclude",
    "credit",
    "credit_report",
    "deliveries",
    "follow",
    "forecast",
    "forget_phones",
    "my_burden",
    "outcomes",
    "outcomes_of_week",
    "owe",
    "owe_next",
    "pause",
    "paused_channels",
    "pauses",
    "recover",
    "remaining",
    "report",
    "resolutions",
    "resume",
    "revoke",
    "settle_unknown",
    "unfollow",
    "unknown_since",
    "withdraw",
    "zone_of_unionid",
]
