"""Runs a notebook from its first cell to its last, as strictly as nbclient can, and writes it with its new outputs.

python execute.py NOTEBOOK OUTPUT FOLDER_TO_RUN_IN
"""

import sys

import nbformat
from nbclient import NotebookClient

source, output, folder = sys.argv[1:]
notebook = nbformat.read(source, as_version=4)
client = NotebookClient(
    notebook, kernel_name="tslab", timeout=600, record_timing=False, resources={"metadata": {"path": folder}}
)
try:
    client.execute()
finally:
    nbformat.write(notebook, output)
