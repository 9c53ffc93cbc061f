"""Whether this process lives, whether it can serve, and what it counts."""

from api.wire import Routes

routes = Routes("operations", tag="运行")
