"""WeChat: an async transport under wechatpy's API shapes, with one token per account and one reading of refusals."""

from gateways.wechat.platform import Follower, Session, Verdict, WeChat
from gateways.wechat.refusals import Refusal, RefusalKind

__all__ = ["Follower", "Refusal", "RefusalKind", "Session", "Verdict", "WeChat"]
