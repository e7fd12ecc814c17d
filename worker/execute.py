"""Executes a notebook's cells on a sealed kernel with nbclient, within the limits, and tells how it ended."""

from __future__ import annotations

import asyncio
import re
import signal
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from queue import Empty
from typing import Any

import nbformat
import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from zmq.utils.monitor import recv_monitor_message

from checks.evidence import CellError, CellRun, RunStatus
from checks.evidence.record import CellStatus
from checks.plan import Limits
from worker.errors import InfrastructureError, KernelNotReady
from worker.kernel import MAX_MESSAGE, Ending, SealedKernel, kernel_client, kernel_manager
from worker.outputs import MALFORMED, LimitedClient, OutputLimitError

READY_SECONDS = 30.0
_GRACE_SECONDS = 0.5
# No tag is spelled like this: a tag that only some tools show shall not decide which cells are run.
_NEVER_SKIPPED = "\N{NULL}"
_MAX_ERROR_TEXT = 2000
_LINE = re.compile(r"(?:Cell|Input) In\s?\[(\d+)\], line (\d+)")
_PLACE = re.compile(r" \([^()]*\.py, line \d+\)$")  # IPython names a syntax error's temporary file
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_NOT_A_NOTEBOOK = (
    UnicodeDecodeError, nbformat.reader.NotJSONError, nbformat.ValidationError, KeyError, AttributeError,
)  # fmt: skip


@dataclass
class Execution:
    """What happened: status and reason, every code cell, the executed cells' indexes in their order."""

    status: RunStatus = "completed"
    detail: str = ""
    cells: list[CellRun] = field(default_factory=list)
    executed: list[int] = field(default_factory=list)


def execute(
    notebook: NotebookNode,
    sealed: SealedKernel,
    limits: Limits,
    on_cell: Callable[[int, int], None],
    ready_seconds: float = READY_SECONDS,
) -> Execution:
    """Run every code cell of ``notebook``, filling in its outputs; ``on_cell(k, n)`` before the k-th of n.

    Raises InfrastructureError where the fault is ours, KernelNotReady where the kernel did not answer within
    ``ready_seconds``. The kernel may still run when this returns.
    """
    return asyncio.run(_Runner(notebook, sealed, limits, on_cell, ready_seconds).run())


class _Runner:
    def __init__(
        self,
        notebook: NotebookNode,
        sealed: SealedKernel,
        limits: Limits,
        on_cell: Callable[[int, int], None],
        ready_seconds: float,
    ) -> None:
        self._ready_seconds = ready_seconds
        self._notebook, self._sealed, self._limits, self._on_cell = notebook, sealed, limits, on_cell
        self._deadline = time.monotonic() + limits.seconds
        self._result = Execution()
        self._reply: Any = None
        self._budget = int(limits.output_mib * (1 << 20))

    async def run(self) -> Execution:
        manager = kernel_manager(self._sealed)
        client = kernel_client(manager)
        self._flooded = asyncio.ensure_future(_watch_iopub(client))
        self._ended = asyncio.ensure_future(self._watch_lifeline())
        try:
            await self._await_ready(client)
            runner = LimitedClient(
                self._notebook,
                km=manager,
                allow_errors=True,
                timeout=None,
                store_widget_state=False,
                record_timing=False,
                skip_cells_with_tag=_NEVER_SKIPPED,
                iopub_timeout=10,
            )
            runner.kc = client
            runner.on_cell_executed = self._keep_reply
            runner.reset_execution_trackers()
            runner.budget = self._budget
            runner.exceeded = asyncio.get_running_loop().create_future()
            await self._run_cells(runner)
        finally:
            await _cancel(self._flooded, self._ended)
            client.stop_channels()
            manager.context.destroy(linger=0)
        return self._result

    async def _await_ready(self, client: AsyncKernelClient) -> None:
        """Until the kernel answers on both channels; shorter than jupyter_client's own wait, which sleeps."""
        message = client.kernel_info()
        ready = asyncio.gather(_reply(client, message), _subscribed(client, message))
        waited_for: set[asyncio.Future[Any]] = {ready, self._ended}
        await asyncio.wait(waited_for, timeout=self._ready_seconds, return_when=asyncio.FIRST_COMPLETED)
        if ready.done():
            await ready
            await self._sealed.limited()
            return
        await _cancel(ready)
        ending = self._sealed.poll() or "time is over"
        raise KernelNotReady(f"the kernel did not answer: {ending}: {self._sealed.last_words()}")

    async def _run_cells(self, runner: LimitedClient) -> None:
        codes = [(index, cell) for index, cell in enumerate(self._notebook.cells) if cell.cell_type == "code"]
        for number, (index, cell) in enumerate(codes, 1):
            stopped = self._result.status not in ("completed", "cell_error")
            if stopped or not cell.source.strip():
                status: CellStatus = "not_run" if stopped else "ok"
                self._result.cells.append(CellRun(index=index, source=cell.source, status=status))
                continue
            self._on_cell(number, len(codes))
            self._result.executed.append(index)
            await self._run_cell(runner, index, cell)

    async def _run_cell(self, runner: LimitedClient, index: int, cell: NotebookNode) -> None:
        started = time.monotonic()
        budget = min(self._limits.cell_seconds, self._deadline - started)
        task = asyncio.ensure_future(runner.async_execute_cell(cell, index, store_history=True))
        awaited: set[asyncio.Future[Any]] = {task, self._ended, self._flooded, runner.exceeded}
        done, _ = await asyncio.wait(awaited, timeout=max(budget, 0.0), return_when=asyncio.FIRST_COMPLETED)
        seconds = time.monotonic() - started
        status: CellStatus = "stopped"
        error = None
        if task in done and task.exception() is None and not runner.exceeded.done():
            error = _cell_error(self._reply, cell.execution_count)
            self._note_error(error)
            status = "ok" if error is None else "error"
        else:
            try:
                await self._note_ending(runner, task, done, budget)
            finally:
                await _cancel(task)
        self._result.cells.append(
            CellRun(index=index, source=cell.source, status=status, seconds=round(seconds, 3), error=error)
        )

    def _keep_reply(self, execute_reply: Any, **_: object) -> None:
        self._reply = execute_reply

    def _note_error(self, error: CellError | None) -> None:
        if error is not None and self._result.status == "completed":
            self._result.status = "cell_error"

    async def _note_ending(
        self,
        runner: LimitedClient,
        task: asyncio.Future[Any],
        done: Collection[asyncio.Future[Any]],
        budget: float,
    ) -> None:
        """Why the run ends here, by our own clock, count and wait status; not by the kernel's word."""
        result = self._result
        failure = task.exception() if task in done else None
        if isinstance(failure, MALFORMED):
            result.status, result.detail = "kernel_died", "the kernel sent what is no Jupyter message"
            return
        if failure is not None and not isinstance(failure, (OutputLimitError, DeadKernelError)):
            raise InfrastructureError(f"nbclient failed: {failure!r}") from failure
        if self._flooded in done:  # the channel breaks when the kernel dies, too: let its end be told first
            await asyncio.wait({self._ended}, timeout=_GRACE_SECONDS)
        if self._ended.done() or isinstance(failure, DeadKernelError):
            result.status, result.detail = describe(self._sealed.poll())
        elif self._flooded in done:
            result.status = "output_limit"
            result.detail = f"a single output was larger than {MAX_MESSAGE >> 20} MiB, or none at all"
        elif failure is not None or runner.exceeded.done():
            result.status = "output_limit"
            result.detail = f"the notebook printed more than {self._limits.output_mib:g} MiB"
        else:
            result.status = "time_limit"
            whole = budget < self._limits.cell_seconds
            limit = self._limits.seconds if whole else self._limits.cell_seconds
            result.detail = f"{'the notebook' if whole else 'a cell'} took longer than {limit:g} s"

    async def _watch_lifeline(self) -> None:
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        fd = self._sealed.fileno()
        loop.add_reader(fd, readable.set)
        try:
            await readable.wait()
        finally:
            loop.remove_reader(fd)


def describe(ending: Ending | None) -> tuple[RunStatus, str]:
    """The run's status where the kernel's process ended by itself."""
    if ending is None:
        return "kernel_died", "the kernel stopped answering"
    if ending.out_of_memory:
        return "out_of_memory", "the notebook needed more memory than it may have"
    if ending.signal == signal.SIGXCPU:
        return "time_limit", "the notebook used more processor time than it may have"
    how = f"signal {ending.signal}" if ending.signal is not None else f"exit code {ending.code}"
    return "kernel_died", f"the notebook ended its own kernel ({how})"


def _cell_error(reply: Any, count: Any) -> CellError | None:
    """The exception that the kernel's reply tells of, a wrong magic's included; None where all went well."""
    content = reply.get("content") if isinstance(reply, dict) else None
    if not isinstance(content, dict) or content.get("status") != "error":
        return None
    trace = content.get("traceback")
    text = _ANSI.sub("", "\n".join(map(str, trace)) if isinstance(trace, list) else "")
    lines = [int(line) for number, line in _LINE.findall(text) if int(number) == count]
    return CellError(
        name=str(content.get("ename", ""))[:200],
        message=_PLACE.sub("", _ANSI.sub("", str(content.get("evalue", ""))))[:_MAX_ERROR_TEXT],
        line=lines[0] if lines else None,
    )


async def _reply(client: AsyncKernelClient, message_id: str) -> None:
    while True:
        message = await client.get_shell_msg(timeout=None)
        if message["parent_header"].get("msg_id") == message_id:
            return


async def _subscribed(client: AsyncKernelClient, message_id: str) -> None:
    """Until the output channel has said welcome, or has shown the end of a request; asks again meanwhile."""
    wanted = {message_id}
    while True:
        try:
            message = await client.get_iopub_msg(timeout=0.05)
        except Empty:
            wanted.add(client.kernel_info())
            continue
        if message["header"]["msg_type"] == "iopub_welcome":
            return
        status = message["content"].get("execution_state")
        if status == "idle" and message["parent_header"].get("msg_id") in wanted:
            return


async def _watch_iopub(client: AsyncKernelClient) -> None:
    """Return when the output channel breaks, as it does on a message that is beyond the bound."""
    socket = client.iopub_channel.socket
    monitor = socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    try:
        await recv_monitor_message(monitor)
    finally:
        socket.disable_monitor()


async def _cancel(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def parse_notebook(raw: bytes) -> NotebookNode:
    """The notebook as nbformat 4; raises ValueError where the bytes are none."""
    try:
        notebook: NotebookNode = nbformat.reads(raw.decode("utf-8-sig"), as_version=4)
    except _NOT_A_NOTEBOOK as error:
        raise ValueError(f"not a notebook: {error}") from error
    return notebook
