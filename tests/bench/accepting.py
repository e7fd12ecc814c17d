"""Accepting: durable POSTs a second of 100 KB notebooks, with the API, its Redis and the client as processes.

``python -m tests.bench.accepting [--database URL]`` measures this alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import psutil

from grader import embedded_redis
from grader.settings import Settings
from tests import serving
from tests.bench.timing import Row
from tests.conftest import ROOT

PATH = "/api/v1/assignments/tests/arithmetic/submissions"
CONNECTIONS = 8
WARM_UP, REQUESTS = 100, 1000
BOUNDARY = "----notebook"
MARK = "student-number"
MARK_LENGTH, STUDENT_DIGITS = 20, 2


class Accepted(msgspec.Struct):
    """What the client saw: seconds of each request, and of all together; its own processor time for these."""

    seconds: float
    latencies: list[float]
    bytes_each: int
    processor: float


def rows(scratch: Path) -> Iterator[Row]:
    """The rate, with the latencies and the server's processor time for each request."""
    yield _measured(scratch, None)


def _measured(scratch: Path, database: str | None) -> Row:
    settings = Settings(data_dir=scratch / "accepting", database_url=database)  # type: ignore[arg-type]
    with ExitStack() as stack:
        token = serving.prepare(settings)
        stack.enter_context(_redis(settings))
        served = stack.enter_context(serving.api(settings))
        server = psutil.Process(served.process.pid)
        _client(served.url, token, WARM_UP)
        before = sum(server.cpu_times()[:2])
        told = _client(served.url, token, REQUESTS)
        processor = (sum(server.cpu_times()[:2]) - before) / REQUESTS
    slices = statistics.quantiles(told.latencies, n=100)
    return Row(
        f"accepting notebooks of {told.bytes_each // 1000} kB over {CONNECTIONS} connections",
        f"{REQUESTS / told.seconds:.0f} a second; "
        f"p50 {slices[49] * 1000:.0f} ms, p99 {slices[98] * 1000:.0f} ms",
        ratio=f"{processor * 1000:.1f} ms of the server's processor time each, "
        f"{told.processor / REQUESTS * 1000:.1f} ms of the client's",
        target=">= 200 a second, p99 < 100 ms",
    )


def large_notebook(mark: str) -> bytes:
    """About 100 KB as Jupyter writes it: sources and outputs as lists of lines; ``mark`` tells them apart."""
    line = "table['column {n}'] = table['another'].rolling({n}).mean()  # what the exercise asks for\n"
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{cell}",
            "metadata": {},
            "execution_count": cell,
            "source": [f"# {mark} {cell}\n", *(line.format(n=n) for n in range(18))],
            "outputs": [
                {
                    "output_type": "stream",
                    "name": "stdout",
                    "text": [f"row {n}: 0.123456789 0.987654321\n" for n in range(24)],
                }
            ],
        }
        for cell in range(32)
    ]
    made = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    return json.dumps(made, indent=1).encode()


@contextmanager
def _redis(settings: Settings) -> Iterator[None]:
    (settings.data_dir / "redis").mkdir(exist_ok=True)
    process = subprocess.Popen(embedded_redis.command(settings), stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=30)


def _client(url: str, token: str, requests: int) -> Accepted:
    """Let another process send: what it costs must not be counted as the server's."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.accepting", "--send-to", url, "--requests", str(requests)],
        input=token.encode(),
        stdout=subprocess.PIPE,
        cwd=ROOT,
        check=True,
    )
    return msgspec.json.decode(done.stdout, type=Accepted)


async def _send(url: str, token: str, requests: int) -> Accepted:
    """All requests over a few connections, as fast as they are answered; raises unless each gets a 202.

    The server's processors are ours too: what can be made before the clock starts is.
    """
    waiting = iter(range(requests))
    template = large_notebook(f"{MARK:{MARK_LENGTH}}")
    pieces = _pieces(token, template)
    latencies: list[float] = []

    async def keep_sending() -> None:
        reader, writer = await asyncio.open_connection(urlsplit(url).hostname, urlsplit(url).port)
        for number in waiting:
            request = _request(pieces, number)
            started = time.perf_counter()
            writer.write(request)
            await _answer(reader)
            latencies.append(time.perf_counter() - started)
        writer.close()

    started, spent = time.perf_counter(), time.process_time()
    await asyncio.gather(*(keep_sending() for _ in range(CONNECTIONS)))
    seconds = time.perf_counter() - started
    return Accepted(seconds, latencies, len(template), time.process_time() - spent)


def _pieces(token: str, template: bytes) -> tuple[bytes, bytes, bytes]:
    """A POST by hand, cut where the student's number and the first mark belong; the marks have one length."""
    before, mark, after = template.partition(f"{MARK:{MARK_LENGTH}}".encode())
    opening = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="student"\r\n\r\nstudent '
    between = (
        f'\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name="notebook"; filename="a.ipynb"\r\n\r\n'
    )
    end = f"\r\n--{BOUNDARY}--\r\n"
    length = len(opening) + STUDENT_DIGITS + len(between) + len(template) + len(end)
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: grader\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {length}\r\n\r\n"
    )
    assert mark
    return (head + opening).encode(), between.encode() + before, after + end.encode()


def _request(pieces: tuple[bytes, bytes, bytes], number: int) -> bytes:
    """One of 50 students with a notebook that nobody sent before: one cell differs."""
    student = f"{number % 50:0{STUDENT_DIGITS}}".encode()
    mark = f"{os.getpid()}-{number}".ljust(MARK_LENGTH).encode()
    return pieces[0] + student + pieces[1] + mark + pieces[2]


async def _answer(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
    body = await reader.readexactly(int(fields[b"content-length"]))
    if b" 202 " not in head.split(b"\r\n")[0]:
        raise RuntimeError(f"not accepted: {body.decode(errors='replace')}")


def main() -> None:
    """Measure and print one line, or be the client of such a measurement."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.accepting")
    parser.add_argument("--database", help="a database other than SQLite")
    parser.add_argument("--send-to", help=argparse.SUPPRESS)
    parser.add_argument("--requests", type=int, default=REQUESTS, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.send_to:
        told = asyncio.run(_send(chosen.send_to, sys.stdin.read(), chosen.requests))
        sys.stdout.buffer.write(msgspec.json.encode(told))
        return
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as scratch:
        row = _measured(Path(scratch), chosen.database)
    print(f"{row.what}: {row.ours}; {row.ratio} (target {row.target})")


if __name__ == "__main__":
    main()
