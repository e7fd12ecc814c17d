"""Plays one scenario file; runs in the students' interpreter, with nothing but the standard library."""

import json
import pathlib
import runpy
import sys
import traceback


def play(request):
    """The scenarios' tracebacks by name; empty where all went well."""
    from _grader_inside import compat  # noqa: PLC0415 - what is tested: nothing else has been imported before

    if request["when"] == "before":
        compat.apply(request["shims"])
    scenarios = runpy.run_path(request["file"])
    if request["when"] == "after":
        compat.apply(request["shims"])
    return {name: fault(found) for name, found in scenarios.items() if name.startswith(("can_", "still_"))}


def fault(scenario):
    """The traceback of a scenario that failed."""
    try:
        scenario()
    except Exception:  # noqa: BLE001 - whatever goes wrong is the outcome
        return traceback.format_exc()
    return ""


if __name__ == "__main__":
    request = json.loads(sys.argv[1])
    pathlib.Path(request["result"]).write_text(json.dumps(play(request)))
