"""每月数字: what each unit was asked and did in a month, frozen after it has ended; never by person (domain.md §5).

A frozen row is never rewritten (a trigger keeps it). What is found later and would have made a figure another one is a
restatement, a row of its own: which figure, from what to what, and why. The figure as it stands is the frozen one with
its restatements.
"""

from models.months.counting import count, first_of
from models.months.freezing import freeze, restate
from models.months.reading import UnitMonth, figures, restatements
from models.months.tables import FIGURES, RATES, MonthFigure, MonthRestatement
from models.months.workbook import export_months

__all__ = [
    "FIGURES",
    "RATES",
    "MonthFigure",
    "MonthRestatement",
    "UnitMonth",
    "count",
    "export_months",
    "figures",
    "first_of",
    "freeze",
    "restate",
    "restatements",
]
