"""The whole job played without a person, over HTTP only, on data of its own; each chapter is a file.

It prints what it observes, a line a fact, and ends at the first thing that is not as it should be.
"""

from deploy.story.playing import play
from deploy.story.telling import Broken

__all__ = ["Broken", "play"]
