"""The same rows through Python's libraries for synthetic data, each as its documentation shows it, with as many requests at once."""

import json
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from contender import serve_contender  # noqa: E402

os.environ.update(NEMO_TELEMETRY_ENABLED="false", HF_HUB_OFFLINE="1")
TASK = "# Task\nAnswer which number comes next, as a numeral.\n\n# One new example, as JSON with input and output. Number "


def ask_data_designer(base_url: str, rows: int, concurrency: int, folder: str) -> list:
    import data_designer.config as dd
    from data_designer.interface import DataDesigner

    provider = dd.ModelProvider(name="mock", endpoint=base_url, provider_type="openai", api_key="none")
    parameters = dd.ChatCompletionInferenceParams(max_parallel_requests=concurrency, temperature=1.0)
    model = dd.ModelConfig(alias="mock", model="mock", provider="mock", skip_health_check=True, inference_parameters=parameters)
    builder = dd.DataDesignerConfigBuilder(model_configs=[model])
    builder.add_column(dd.SamplerColumnConfig(name="number", sampler_type=dd.SamplerType.UUID, params=dd.UUIDSamplerParams()))
    builder.add_column(dd.LLMTextColumnConfig(name="row", prompt=TASK + "{{ number }}", model_alias="mock"))
    designer = DataDesigner(artifact_path=folder, model_providers=[provider])
    return list(designer.create(builder, num_records=rows).load_dataset()["row"])


def ask_distilabel(base_url: str, rows: int, concurrency: int, folder: str) -> list:
    from distilabel.models import OpenAILLM
    from distilabel.pipeline import Pipeline
    from distilabel.steps import LoadDataFromDicts
    from distilabel.steps.tasks import TextGeneration

    with Pipeline(name="bench", cache_dir=folder) as pipeline:
        llm = OpenAILLM(model="mock", base_url=base_url, api_key="none", generation_kwargs={"temperature": 1.0})
        load = LoadDataFromDicts(data=[{"instruction": f"{TASK}{number}"} for number in range(rows)], batch_size=concurrency)
        load >> TextGeneration(llm=llm, input_batch_size=concurrency)
    return [row["generation"] for row in pipeline.run(use_cache=False)["default"]["train"]]


LIBRARIES = {"data-designer": ask_data_designer, "distilabel": ask_distilabel}


def generate(library: str, baseURL: str, rows: int, concurrency: int) -> dict:  # noqa: N803 - the line's own names
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        texts = LIBRARIES[library](baseURL, rows, concurrency, folder)
        seconds = time.perf_counter() - began
    return {"seconds": seconds, "rows": len({json.loads(text)["input"] for text in texts})}


if __name__ == "__main__":
    serve_contender({"generate": generate})
