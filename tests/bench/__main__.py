"""``python -m tests.bench [--peers]``: prints one table with ratios; nothing is asserted."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import accepting, grading, kernels, peers
from tests.bench.timing import Row
from worker.environment import load_environment
from worker.warm import WarmServer


def measure(with_peers: bool, scratch: Path) -> Iterator[Row]:
    """All rows, as they come."""
    yield from accepting.rows(scratch)
    with WarmServer(load_environment("tensorflow"), scratch / "warm") as server:
        yield Row("the warm server's start (imports)", f"{server.ready['seconds']:.1f} s")
        yield from kernels.rows(server)
        yield from grading.rows(server)
        if with_peers:
            yield from peers.rows(server, scratch)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="script/bench")
    parser.add_argument(
        "--peers", action="store_true", help="also time jupyter, nbgrader and otter (installs them once)"
    )
    chosen = parser.parse_args()
    table = Table("what", "here", "elsewhere", "ratio", "target")
    console = Console()
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as scratch, console.status("measuring"):
        for row in measure(chosen.peers, Path(scratch)):
            table.add_row(row.what, row.ours, row.other, row.ratio, row.target)
            console.print(f"{row.what}: {row.ours} {row.other} {row.ratio}", style="dim")
    console.print(table)


if __name__ == "__main__":
    main()
