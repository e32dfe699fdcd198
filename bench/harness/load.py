"""What one load generator says about one load: the same whether wrk or open_loop made it."""

from dataclasses import dataclass, field

from stats import Histogram


class LoadError(Exception):
    """A load generator did not run, in its own words."""


@dataclass
class Load:
    """One load on one server, by the client's clock. Errors are sentences; any of them makes the run worthless."""
    seconds: float              # from the first request to the last answer
    requests: int               # answered with 2xx, whole
    latency_mean_ms: float
    latency_max_ms: float
    histogram: Histogram        # of latencies, in microseconds
    client_cpu_s: float
    errors: list = field(default_factory=list)
    bytes_read: int = 0
    command: str = ''           # as one would type it
    answered: int = 0           # 2xx in all, warm-up and slow clients included: so many files there must be after uploads
    notes: list = field(default_factory=list)  # worth knowing, harmless
