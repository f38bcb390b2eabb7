"""What ``/metrics`` tells Prometheus: requests, times, batches, the queue, memory."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
KNOWN = ("/v1/predict", "/v1/explain", "/v1/runs", "/health", "/metrics", "/openapi.json")


class Metrics:
    """Counters of one server; no label holds what a client wrote."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "birnn_requests", "Requests that were answered.", ("path", "status"),
            registry=self.registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "birnn_request_seconds", "From a request's head to the end of its answer.", ("path",),
            buckets=SECONDS, registry=self.registry,
        )  # fmt: skip
        self.model = Histogram(
            "birnn_model_seconds", "Of each call of a model.", buckets=SECONDS,
            registry=self.registry,
        )  # fmt: skip
        self.sizes = Histogram(
            "birnn_batch_size", "Texts that ran together.", buckets=SIZES, registry=self.registry
        )
        self.queue = Gauge(
            "birnn_waiting", "Requests that wait for a model.", registry=self.registry
        )

    def batch(self, size: int, seconds: float) -> None:
        """A model has run."""
        self.sizes.observe(size)
        self.model.observe(seconds)

    def answered(self, path: str, status: int, seconds: float) -> None:
        """A request has its answer."""
        known = path if path in KNOWN else "page"
        self.requests.labels(known, str(status)).inc()
        self.seconds.labels(known).observe(seconds)

    def text(self) -> bytes:
        """All of it, in Prometheus's text format."""
        return bytes(generate_latest(self.registry))
