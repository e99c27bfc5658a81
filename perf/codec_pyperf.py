"""The codec's two bars by pyperf, which calibrates itself and spreads the work over fresh processes (wall clock).

``python -m perf.codec_pyperf [pyperf's options]``, for instance ``--fast`` or ``-o FILE``.
"""

import pyperf  # type: ignore[import-untyped]

from dum.message import Request, parse
from perf.codec_message import invite


def main() -> None:
    """Measure and print."""
    data = invite()
    request = parse(data)
    assert isinstance(request, Request)
    runner = pyperf.Runner()
    runner.bench_func("parse an INVITE and its routing fields", parse, data)
    runner.bench_func("build and encode a 200", lambda: request.respond(200, to_tag="8321234356").encode())


if __name__ == "__main__":
    main()
