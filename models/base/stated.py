"""Days and instants that people state: of the People's Republic's years to the end of this century.

Days of the years 1 and 9999 exist, but neither a next day nor another time zone can be told of them.
"""

from datetime import date, datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from models.base.clock import SHANGHAI

EARLIEST, LATEST = date(1949, 10, 1), date(2099, 12, 31)
Day = Annotated[date, Field(ge=EARLIEST, le=LATEST)]
Instant = Annotated[
    AwareDatetime, Field(ge=datetime(1949, 10, 1, tzinfo=SHANGHAI), le=datetime(2099, 12, 31, tzinfo=SHANGHAI))
]
