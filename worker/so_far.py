"""The evidence for one part while the notebook still runs: the snapshot that its check took just now, and
the cells as far as their outputs tell. The run's own evidence replaces it in the end.
"""

from __future__ import annotations

from nbformat import NotebookNode

from checks.evidence import CellError, CellRun, Evidence, Run, Snapshot
from checks.evidence.record import CellStatus
from worker.collect import FrameLabel


def evidence_so_far(notebook: NotebookNode, version: str, label: FrameLabel, frame: bytes) -> Evidence:
    """Evidence with one snapshot. ``label.run`` counts the executed cells from 1; the last is running."""
    cells: list[CellRun] = []
    executed, running = 0, None
    for index, cell in enumerate(list(notebook.cells)):
        if cell.cell_type != "code":
            continue
        executed += bool(cell.source.strip())
        if executed == label.run and running is None:
            running = index
        cells.append(_cell(index, cell, begun=executed <= label.run))
    return Evidence(
        notebook="",
        assignment=version,
        run=Run(status="completed", seconds=0.0, environment="", memory_limit=""),
        cells=tuple(cells),
        snapshots=(Snapshot(part=label.part, trigger=label.trigger, cell=running, frame=frame),),
    )


def _cell(index: int, cell: NotebookNode, *, begun: bool) -> CellRun:
    error = next((_error(output) for output in list(cell.outputs) if output.output_type == "error"), None)
    status: CellStatus = "not_run" if not begun else "error" if error else "ok"
    return CellRun(index=index, source=cell.source, status=status, error=error)


def _error(output: NotebookNode) -> CellError:
    return CellError(name=str(output.get("ename", "")), message=str(output.get("evalue", "")))
