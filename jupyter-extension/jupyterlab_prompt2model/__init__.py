"""Says to JupyterLab where the prebuilt extension is."""

__version__ = "0.1.0"


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "jupyterlab-prompt2model"}]
