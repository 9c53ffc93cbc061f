"""Prometheus metrics of a worker, served on a port of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import Counter, Gauge, Histogram

durations = Histogram("zhuoluo_job_seconds", "How long jobs and sweeps take", ["job"])
failures = Counter("zhuoluo_job_failures", "Jobs and sweeps that failed and will be tried again", ["job"])
outbox_depth = Gauge("zhuoluo_outbox_due", "Promises that are due and not kept yet")
outbox_age = Gauge("zhuoluo_outbox_oldest_seconds", "Age of the oldest promise that is due and not kept yet")
outbox_quarantined = Gauge("zhuoluo_outbox_quarantined", "Promises that failed too often and wait for a person")
unknown = Gauge("zhuoluo_deliveries_unknown", "Deliveries of the last day whose outcome is not known")
alarms = Gauge("zhuoluo_alarms_open", "Alarms that are open, of all zones", ["kind"])
outcomes = Counter("zhuoluo_deliveries", "Deliveries by channel and outcome", ["channel", "outcome"])
uploads_expired = Counter("zhuoluo_uploads_expired", "Uploads that were begun and not finished in time")
escalation_lag = Histogram(
    "zhuoluo_escalation_lag_seconds",
    "How late an escalation step fired",
    buckets=(0.5, 1, 2, 5, 10, 30, 60, 300, 3600),
)
escalations_late = Gauge("zhuoluo_escalations_late_seconds", "How long the oldest due escalation step has waited")
unsealed_age = Gauge("zhuoluo_audit_unsealed_seconds", "Age of the oldest audit row not sealed yet, of all zones")

verified_bytes = Counter("zhuoluo_evidence_verified_bytes", "Bytes of originals that were hashed again")
unnamed_removed = Counter("zhuoluo_evidence_unnamed_removed", "Objects that were removed because no row named them")


@contextmanager
def timed(job: str) -> Iterator[None]:
    """Count how long the block takes as one run of `job`."""
    begun = perf_counter()
    try:
        yield
    finally:
        durations.labels(job).observe(perf_counter() - begun)
