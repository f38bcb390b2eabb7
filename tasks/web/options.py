"""What ``birnn serve`` takes; light to import, so that help shows at once."""

from dataclasses import dataclass
from functools import partial

from birnn.config import device_option, engine_option, option, threads_option

network = partial(option, group="Network")
limit = partial(option, group="Limits")


@dataclass(frozen=True)
class ServeOptions:
    """Where runs are served, to whom, and how much of a request is taken."""

    host: str = network(
        "127.0.0.1", "Address to listen at; any but this machine's own asks for a token."
    )
    port: int = network(8000, "Port to listen at. 0: a free one.", low=0, high=65535)
    token: str = network(
        "", "Secret that every request must bring (or BIRNN_TOKEN, which no list of processes"
        " shows). Empty: none on this machine's own address, one that is made and shown elsewhere.",
    )  # fmt: skip
    allow_host: str = network(
        "", "More names, with commas, by which the server may be addressed, as behind a proxy."
    )
    allow_origin: str = network(
        "", "Pages of other origins, with commas, that may ask: https://example.org, say."
    )
    max_body: float = limit(8.0, "Largest body of a request, in MB.", low=0.001, high=1024)
    max_text: int = limit(20_000, "Longest text, in characters.", low=1, high=10_000_000)
    max_explained: int = limit(
        500, "Longest text to explain, in characters.", low=1, high=10_000_000
    )
    max_texts: int = limit(1_000, "Most texts of a request.", low=1, high=1_000_000)
    max_rows: int = limit(100_000, "Most rows of a table.", low=1, high=10_000_000)
    max_requests: int = limit(256, "Most requests that wait for an answer.", low=1, high=100_000)
    max_connections: int = limit(512, "Most open connections.", low=1, high=100_000)
    timeout: float = limit(
        30.0, "Most seconds for a request to arrive, and again to be answered.", low=0.1, high=3600
    )
    device: str = device_option("Machine", "cpu")
    engine: str = engine_option("Machine", "everyday")
    threads: int = threads_option("Machine", "everyday")
