"""What this process counts for Prometheus. Labels are templates and codes, never ids."""

from collections.abc import Callable

from prometheus_client import Counter, Histogram

from api.wire import Route

REQUESTS = Counter("zhuoluo_requests_total", "Requests answered.", ["audience", "method", "route", "status"])
SECONDS = Histogram(
    "zhuoluo_request_seconds",
    "Time to answer.",
    ["audience", "method", "route"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)


def observer(route: Route) -> Callable[[int, float], None]:
    """Counts the answers of `route`; label lookups are done once, for the hot paths' sake."""
    labels = (route.audience, route.method, route.path)
    seconds = SECONDS.labels(*labels)
    statuses: dict[int, Counter] = {}

    def observe(status: int, took: float) -> None:
        counter = statuses.get(status)
        if counter is None:
            counter = statuses[status] = REQUESTS.labels(*labels, str(status))
        counter.inc()
        seconds.observe(took)

    return observe
