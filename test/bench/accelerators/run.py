"""Runs the packed benchmark with the Python that runs this file: python3 run.py [--quick] [--only WORDS]

That Python has PyTorch, transformers and, for XLA, a PJRT plug-in. Needs nothing else; writes bench-results/accelerators.json beside this file.
"""

import gzip
import os
import shutil
import subprocess
import sys
import tempfile

home = os.path.dirname(os.path.abspath(__file__))


def unpack_node(folder):
    node = os.path.join(folder, "node")
    with gzip.open(os.path.join(home, "node.gz")) as packed, open(node, "wb") as file:
        shutil.copyfileobj(packed, file)
    os.chmod(node, 0o755)
    return node


def main():
    with tempfile.TemporaryDirectory() as folder:
        command = [unpack_node(folder), os.path.join(home, "test/bench/accelerators/bench.mjs"), "--python", sys.executable]
        return subprocess.run([*command, *sys.argv[1:]], env={**os.environ, "PROMPT2MODEL_ROOT": home}).returncode


sys.exit(main())
