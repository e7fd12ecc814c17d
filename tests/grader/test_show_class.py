"""The class at a glance, where the time went, and the bar's rate."""

from __future__ import annotations

import io
import re

import msgspec
from rich.console import Console
from rich.progress import Progress

from checks.feedback import PartFeedback
from grader import show
from grader.local import Phases
from grader.show import RateColumn
from grader.show_class import LEGEND, Line, results, timings
from tests.grader.test_folder_report import feedback


def shown(table: object) -> list[str]:
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(table)
    return [" ".join(re.split(r"[\s│┃]+", line)).strip() for line in console.export_text().splitlines()]


LINES = [
    Line("ada", feedback("ada", "correct", ""), Phases(0.1, 2.0, 0.3, 0.01), 30 << 20),
    Line("[red]bob", feedback("bob", "partial", ""), Phases(0.3, 4.0, 0.5, 0.03), None),
    Line("eve", feedback("eve", "unjudged", ""), Phases(), None),
]


def test_a_class_is_a_row_a_student_and_a_count_of_what_is_right() -> None:
    lines = shown(results(LINES))
    assert "ada 2/2 ✓ completed" in lines
    assert "[red]bob 1/2 ½ completed" in lines
    assert "eve ? ? completed" in lines
    assert "right, of 3 1" in lines


def test_a_class_with_many_parts_fits_a_narrow_terminal_and_numbers_them() -> None:
    def part(number: int) -> PartFeedback:
        return PartFeedback(f"exercise{number}", "", "correct" if number < 10 else "error", 1.0, 1.0, "")

    many = msgspec.structs.replace(feedback("ada", "correct", ""), parts=tuple(map(part, range(1, 13))))
    lines = [Line("lovelaceada_1815", many, Phases(), None)]
    console = Console(width=80, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(results(lines, 80))
    told = console.export_text().splitlines()
    assert all("…" not in line and len(line) <= 80 for line in told)
    [ada] = [line for line in told if "lovelaceada_1815" in line]
    [head] = [line for line in told if "student" in line]
    assert [head.index(" 9"), head.index("10")] == [ada.rindex(" ✓"), ada.index(" E")]
    assert "10 exercise10" in " ".join(told)


def test_timings_are_by_phase_with_median_and_sum() -> None:
    lines = shown(timings(LINES, start=1.5, reference=0.25))
    assert lines[0] == "Seconds: sandbox started in 1.50, reference run 0.25"
    assert "ada 0.100 2.000 0.300 0.010 2.410 30" in lines
    assert "median 0.100 2.000 0.300 0.010 2.410" in lines
    assert "sum 0.400 6.000 0.800 0.040 7.240" in lines


def test_a_bar_tells_how_many_are_done_in_a_minute() -> None:
    now = [0.0]
    progress = Progress(RateColumn(), get_time=lambda: now[0])
    progress.add_task("graded", total=10)
    (task,) = progress.tasks
    assert RateColumn().render(task).plain == ""
    for _ in range(3):
        now[0] += 2.0
        progress.advance(task.id)
    assert RateColumn().render(task).plain == "30/min"


def test_many_a_second_are_told_by_the_second() -> None:
    now = [0.0]
    progress = Progress(RateColumn(), get_time=lambda: now[0])
    progress.add_task("judged again", total=1000)
    (task,) = progress.tasks
    for _ in range(3):
        now[0] += 0.5
        progress.advance(task.id, 200)
    assert RateColumn().render(task).plain == "400/s"


def test_the_bar_of_a_regrade_is_seen_although_results_will_follow_on_the_same_terminal(monkeypatch) -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=100)
    monkeypatch.setattr(show, "progress_output", lambda: screen)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    with show.share("judged again") as tell:
        tell(3, 10)
        screen.print()  # draws the bar below
    assert "judged again" in screen.file.getvalue()
    assert "3/10" in screen.file.getvalue()


def test_a_sign_of_the_legend_stays_with_its_words_however_narrow_the_terminal_is() -> None:
    console = Console(width=30, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(LEGEND)
    entries = re.split(r"\s{2,}|\n", console.export_text().strip())
    assert [entry[:2] for entry in entries] == ["✓ ", "½ ", "✗ ", "· ", "E ", "H ", "? "]


def test_results_are_printed_above_the_bar_where_both_go_to_one_terminal() -> None:
    written = io.StringIO()
    screen = Console(file=written, force_terminal=True, width=80)
    with show.counter("graded", 2, screen) as advance:
        screen.print("ada: 2 of 2 points")
        advance()
    said = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.getvalue())
    assert said.index("ada: 2 of 2 points") < said.rindex("graded")
    assert "1/2" in said


def test_no_bar_is_drawn_where_nobody_looks(capsys) -> None:
    screen = Console(file=io.StringIO(), width=80)
    with show.counter("graded", 2, screen) as advance:
        advance()
    assert (screen.file.getvalue(), capsys.readouterr().err) == ("", "")
