"""Every message to a phone: channel, consent, budget, quiet hours, attempt, outcome (domain.md §4).

The in-app inbox always has the reminder. Beyond it a delivery tries the subscribe message while a consent is left, then
the service account's template message where the person follows it. Texts are neutral: a count and an opaque reference.
"""

from models.deliveries.burden import (
    Burden,
    UnitBurden,
    burden_by_unit,
    deliveries,
    my_burden,
    outcomes_of_week,
)
from models.deliveries.conclusions import News, OutcomeNotWritten, conclude, recover, settle_unknown
from models.deliveries.consents import CREDIT_REPORT, credit, credit_report, remaining, report, revoke
from models.deliveries.followers import follow, unfollow, zone_of_unionid
from models.deliveries.forecasting import Forecast, Notice, forecast
from models.deliveries.forgetting import forget_phones
from models.deliveries.owing import GATHER, owe, withdraw
from models.deliveries.pushes import Begun, Conclusion, Push, begin, lease
from models.deliveries.tables import Channel, Consent, Delivery, DeliveryState, Follower

__all__ = [
    "CREDIT_REPORT",
    "GATHER",
    "Begun",
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
    "Push",
    "UnitBurden",
    "begin",
    "burden_by_unit",
    "conclude",
    "credit",
    "credit_report",
    "deliveries",
    "follow",
    "forecast",
    "forget_phones",
    "lease",
    "my_burden",
    "outcomes_of_week",
    "owe",
    "recover",
    "remaining",
    "report",
    "revoke",
    "settle_unknown",
    "unfollow",
    "withdraw",
    "zone_of_unionid",
]
