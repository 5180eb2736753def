"""A tslab kernel that a test drives: one JSON request a line in, one JSON answer a line out.

python drive-kernel.py FOLDER_TO_RUN_IN

{"do": "execute", "code": ..., "interruptAt": ..., "seconds": ...}  runs a cell, for a minute at most unless more seconds are given; sends an
    interrupt as soon as an output holds that text
{"do": "complete" | "inspect", "code": ..., "at": ...}  asks as Tab and Shift-Tab do
"""

import json
import queue
import sys
import time

from jupyter_client.manager import KernelManager

manager = KernelManager(kernel_name="tslab")
manager.start_kernel(cwd=sys.argv[1])
client = manager.blocking_client()


def execute(code, interrupt_at=None, seconds=None):
    asked = client.execute(code, store_history=False)
    outputs = []
    reply = None
    deadline = time.monotonic() + (seconds or 60)
    while time.monotonic() < deadline:
        try:
            message = client.get_iopub_msg(timeout=0.1)
        except queue.Empty:
            # Of a cell that tslab skips, the kernel's going idle is at times not told.
            reply = reply or reply_to(asked)
            if reply is not None and reply["status"] == "abort":
                return {"status": "abort", "outputs": [], "isAlive": manager.is_alive()}
            if not manager.is_alive():
                break
            continue
        if message["parent_header"].get("msg_id") != asked:
            continue
        content = message["content"]
        if message["msg_type"] == "status":
            if content["execution_state"] == "busy":
                continue
            while reply is None and time.monotonic() < deadline:
                reply = reply_to(asked)
            break
        outputs.append({"type": message["msg_type"], **content})
        if interrupt_at is not None and interrupt_at in json.dumps(content):
            interrupt_at = None
            manager.interrupt_kernel()
    status = "no answer" if reply is None else reply["status"]
    return {"status": status, "outputs": outputs, "isAlive": manager.is_alive()}


def reply_to(asked):
    """The answer to a request, where it has come."""
    try:
        while True:
            message = client.get_shell_msg(timeout=0.1)
            if message["parent_header"].get("msg_id") == asked:
                return message["content"]
    except queue.Empty:
        return None


try:
    client.start_channels()
    client.wait_for_ready(timeout=60)
    print(json.dumps({"status": "ready"}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "execute":
            answer = execute(request["code"], request.get("interruptAt"), request.get("seconds"))
            # After a cell that failed, tslab skips what arrives in the next 200 ms; a person is never that fast.
            while answer["status"] == "abort":
                time.sleep(0.02)
                answer = execute(request["code"], request.get("interruptAt"))
        elif request["do"] == "complete":
            answer = client.complete(request["code"], request["at"], reply=True, timeout=60)["content"]
        else:
            answer = client.inspect(request["code"], request["at"], reply=True, timeout=60)["content"]
        print(json.dumps(answer), flush=True)
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
