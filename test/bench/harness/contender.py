"""The contender's side of the line, in Python: answers JSON lines until its parent closes the line (see contender.ts)."""

import json
import os
import re
import resource
import sys
import traceback


def measure_memory() -> dict:
    try:
        with open("/proc/self/status") as file:
            status = file.read()
        kilobytes = {name: int(re.search(name + r":\s+(\d+) kB", status).group(1)) for name in ("VmHWM", "VmRSS")}
        return {"peak": kilobytes["VmHWM"] * 1024 / 1e6, "current": kilobytes["VmRSS"] * 1024 / 1e6}
    except (OSError, AttributeError):
        used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        peak = used / 1e6 if sys.platform == "darwin" else used * 1024 / 1e6
        return {"peak": peak, "current": peak}


def serve_contender(handlers: dict) -> None:
    """Answers each question by the handler of that name, called with the question's other fields as keywords; `memory` has a default."""
    handlers = {"memory": measure_memory, **handlers}
    line_out = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    # Whatever libraries print goes to standard error.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin:
        question = json.loads(line)
        ask = question.pop("ask")
        try:
            answer = {"answer": handlers[ask](**question)}
        except Exception:  # noqa: BLE001 - the parent shows it
            answer = {"error": traceback.format_exc()}
        line_out.write(json.dumps(answer) + "\n")
        line_out.flush()
