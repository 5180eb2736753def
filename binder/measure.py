"""Goes through repo2docker's own steps in a clean environment, runs the quickstart there as a browser would, and says what each step takes.

python3 binder/measure.py [--keep]

A clone of this repository's last commit, a new Python environment with requirements.txt, then postBuild, then JupyterLab with a kernel that runs
every cell of notebooks/00-quickstart.ipynb through the server. Memory is the resident memory of the server and all its children added up,
sampled four times a second; pages that processes share count once for each. Ends with 1 if it goes beyond the promised gigabyte, or a cell fails.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import venv
from pathlib import Path

root = Path(__file__).resolve().parent.parent
promised_megabytes = 1000
token = "measured"


def main() -> int:
    folder = Path(tempfile.mkdtemp(prefix="binder-"))
    try:
        return measure(folder)
    finally:
        if "--keep" in sys.argv:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def measure(folder: Path) -> int:
    repository, environment = folder / "repository", folder / "environment"
    python = environment / "bin/python"
    # As in the image: caches of its own, nothing of the user's Jupyter, no key.
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "JUPYTER", "VIRTUAL_ENV"))}
    variables |= {
        "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "REPO_DIR": str(repository),
        "npm_config_cache": str(folder / "npm-cache"),
        "PIP_NO_CACHE_DIR": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    for name in ["CONFIG", "DATA", "RUNTIME"]:
        variables[f"JUPYTER_{name}_DIR"] = str(folder / name.lower())

    def step(name: str, *words: str) -> None:
        started = time.monotonic()
        done = subprocess.run(words, cwd=repository if repository.exists() else root, env=variables, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{name} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        say(name, time.monotonic() - started)

    print(f"Python {sys.version.split()[0]} (runtime.txt: {(root / 'binder/runtime.txt').read_text().strip()}), {os.cpu_count()} cores")
    step("clone of the last commit", "git", "clone", "--quiet", "--depth", "1", root.as_uri(), str(repository))
    started = time.monotonic()
    venv.create(environment, with_pip=True)
    say("Python environment", time.monotonic() - started)
    step("requirements.txt", str(python), "-m", "pip", "install", "--quiet", "-r", "binder/requirements.txt")
    step("postBuild", "bash", "binder/postBuild")

    server = subprocess.Popen(
        [str(python), "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--port=0", f"--IdentityProvider.token={token}"]
        + (["--allow-root"] if os.geteuid() == 0 else []),
        cwd=repository,
        env=variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    memory = Memory(server.pid)
    try:
        started = time.monotonic()
        address = wait_for_server(folder / "runtime", server)
        read(f"{address}lab")
        say("JupyterLab is up", time.monotonic() - started, memory.now())
        session = {"path": "notebooks/00-quickstart.ipynb", "name": "", "type": "notebook", "kernel": {"name": "tslab"}}
        kernel = read(f"{address}api/sessions", session)["kernel"]["id"]
        script = repository / "run-cells.py"
        script.write_text(run_cells)
        started = time.monotonic()
        words = [str(python), str(script), f"{address}api/kernels/{kernel}/channels?token={token}", str(repository / session["path"])]
        runner = subprocess.run(words, env=variables, text=True, capture_output=True)
        seconds = time.monotonic() - started
        print(runner.stdout, end="")
        if runner.returncode != 0:
            raise SystemExit(f"the quickstart failed:\n{runner.stdout[-2000:]}{runner.stderr[-2000:]}")
        say("the quickstart, every cell", seconds, memory.peak)
    finally:
        memory.stop()
        server.terminate()
        server.wait()
    for name, megabytes in memory.at_peak:
        print(f"  at its peak  {name:<24}{megabytes:>8.0f} MB")
    is_within = memory.peak <= promised_megabytes
    print(f"{memory.peak:.0f} MB at most of the {promised_megabytes} MB that Binder promises: {'within' if is_within else 'BEYOND'}")
    return 0 if is_within else 1


def say(name: str, seconds: float, megabytes: "float | None" = None) -> None:
    print(f"{name:<32}{seconds:>8.1f} s" + ("" if megabytes is None else f"{megabytes:>8.0f} MB"), flush=True)


class Memory:
    """Resident memory of a process and all its children, added up, in megabytes."""

    def __init__(self, process: int):
        self.process, self.peak, self.at_peak, self.is_running = process, 0.0, [], True
        self.thread = threading.Thread(target=self.sample, daemon=True)
        self.thread.start()

    def sample(self) -> None:
        while self.is_running:
            parts = self.parts()
            total = sum(megabytes for _, megabytes in parts)
            if total > self.peak:
                self.peak, self.at_peak = total, parts
            time.sleep(0.25)

    def now(self) -> float:
        return sum(megabytes for _, megabytes in self.parts())

    def parts(self) -> "list[tuple[str, float]]":
        found, waiting = [], [self.process]
        while waiting:
            process = waiting.pop()
            try:
                status = Path(f"/proc/{process}/status").read_text()
                words = Path(f"/proc/{process}/cmdline").read_text().split("\0")
                for task in Path(f"/proc/{process}/task").iterdir():
                    waiting += [int(child) for child in (task / "children").read_text().split()]
            except OSError:
                continue
            resident = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")), 0)
            found.append((" ".join(Path(word).name for word in words[:3]).strip(), resident * 1024 / 1e6))
        return found

    def stop(self) -> None:
        self.is_running = False
        self.thread.join()


def wait_for_server(runtime: Path, server: subprocess.Popen) -> str:
    """The server's address, once it answers."""
    while server.poll() is None:
        for file in runtime.glob("jpserver-*.json"):
            try:
                address = json.loads(file.read_text())["url"]
                read(f"{address}api/status")
                return address
            except (OSError, ValueError):
                pass
        time.sleep(0.1)
    raise SystemExit("JupyterLab ended at once.")


def read(address: str, content: "dict | None" = None):
    data = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(address, data, {"Authorization": f"token {token}", "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = answer.read().decode()
        return json.loads(text) if "json" in answer.headers.get("Content-Type", "") else text


# Runs in the clean environment, whose jupyter_server brings the package websocket-client.
run_cells = '''
import json, sys, uuid
import websocket

address, notebook = sys.argv[1:]
channel = websocket.create_connection(address.replace("http", "ws", 1), timeout=600)
for cell in json.load(open(notebook))["cells"]:
    if cell["cell_type"] != "code":
        continue
    header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "session": "measure", "username": "", "version": "5.3"}
    content = {"code": "".join(cell["source"]), "silent": False, "store_history": True, "stop_on_error": True}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    channel.send(json.dumps(message))
    waiting = {"execute_reply", "idle"}
    while waiting:
        received = json.loads(channel.recv())
        if received["parent_header"].get("msg_id") != header["msg_id"]:
            continue
        kind, content = received["header"]["msg_type"], received["content"]
        if kind == "execute_reply":
            if content["status"] != "ok":
                sys.exit("a cell failed: " + json.dumps(content))
            waiting.discard(kind)
        elif kind == "status" and content["execution_state"] == "idle":
            waiting.discard("idle")
        elif kind == "stream" and content["name"] == "stderr":
            sys.exit("a cell wrote to standard error: " + content["text"])
'''

if __name__ == "__main__":
    sys.exit(main())
