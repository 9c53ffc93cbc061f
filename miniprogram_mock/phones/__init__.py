"""Simulated cadres: phones that sign in, consent, read, acknowledge, report, upload and visit, over HTTP only.

For the story (`deploy/story`), for load (`python -m miniprogram_mock.phones`) and for journeys in tests.
"""

from miniprogram_mock.phones.fleet import Fleet
from miniprogram_mock.phones.phone import Phone
from miniprogram_mock.phones.wire import Problem

__all__ = ["Fleet", "Phone", "Problem"]
