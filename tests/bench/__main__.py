"""``python -m tests.bench [--peers] [--short]``: prints one table with ratios, as Markdown; asserts nothing.

The table goes to stdout, each line as soon as it is measured also to stderr.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench import accepting, grading, kernels, peers, regrading
from tests.bench.timing import HEAD, Clock, Row
from worker.environment import load_environment
from worker.inventory import prove
from worker.jail import Upkeep
from worker.warm import WarmServer

STANDBY = 2  # as with the default of two worker slots


def measure(scratch: Path, clock: Clock, *, with_peers: bool) -> Iterator[Row]:
    """All rows, as they come."""
    yield from accepting.rows(scratch)
    yield from regrading.rows(scratch)
    environment = load_environment("tensorflow")
    with (
        WarmServer(environment, scratch / "bare", Upkeep(standby=0)) as bare,
        WarmServer(environment, scratch / "warm", Upkeep(standby=STANDBY)) as server,
    ):
        prove(server)
        yield Row("the warm server's start (imports)", f"{server.ready['seconds']:.1f} s")
        yield from kernels.rows(server, bare, clock)
        yield from grading.rows(server, clock)
        if with_peers:
            yield from peers.rows(server, scratch, clock)


def host() -> str:
    """What the figures were measured on."""
    load = os.getloadavg()[0]
    return (
        f"Measured {time.strftime('%Y-%m-%d')} on {os.cpu_count()} cores, Linux {platform.release()}, "
        f"Python {platform.python_version()}, load before {load:.1f}; medians, with the extremes."
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument(
        "--peers", action="store_true", help="also time jupyter, nbgrader and otter (installs them once)"
    )
    parser.add_argument("--short", action="store_true", help="two repetitions: does it work at all?")
    chosen = parser.parse_args()
    lines = [host(), "", HEAD]
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as scratch:
        for row in measure(Path(scratch), Clock(2 if chosen.short else None), with_peers=chosen.peers):
            lines.append(row.markdown())
            print(lines[-1], file=sys.stderr, flush=True)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
