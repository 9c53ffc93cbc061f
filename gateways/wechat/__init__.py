"""WeChat: an async transport under wechatpy's API shapes, with one token per account and one reading of refusals."""

from gateways.refusals import Refusal, RefusalKind
from gateways.wechat.platform import Follower, Session, Verdict, WeChat

__all__ = ["Follower", "Refusal", "RefusalKind", "Session", "Verdict", "WeChat"]
