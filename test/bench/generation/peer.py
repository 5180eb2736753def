"""The same work through Python's openai client: as many requests at once, answers parsed, validated and deduplicated, and written as they come."""

import asyncio
import json
import os
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../harness"))
from contender import serve_contender  # noqa: E402

SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "generated_example",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"input": {"type": "string"}, "output": {"type": "string"}},
            "required": ["input", "output"],
            "additionalProperties": False,
        },
    },
}
SYSTEM = 'You write training data for a small model. Answer with one JSON object {"input": ..., "output": ...} and nothing else.'
TASK = "# Task\nAnswer which number comes next, as a numeral.\n\n# Examples made earlier\n"


async def generate_rows(base_url: str, rows: int, responses: int, concurrency: int) -> dict:
    import openai

    client = openai.AsyncOpenAI(base_url=base_url, api_key="none", max_retries=8)
    accepted: dict = {}
    first = 0.0
    requests = 0
    began = time.perf_counter()
    with tempfile.TemporaryFile("w") as file:

        async def work() -> None:
            nonlocal first, requests
            while len(accepted) < rows:
                number = requests
                requests += 1
                earlier = "\n".join(json.dumps(row) for row in list(accepted.items())[-5:]) if len(accepted) < 5000 else ""
                completion = await client.chat.completions.create(
                    model="mock",
                    messages=[{"role": "system", "content": SYSTEM}, {"role": "user", "content": TASK + earlier}],
                    temperature=1.0,
                    n=responses,
                    seed=number,
                    response_format=SCHEMA,
                )
                file.write(completion.model_dump_json() + "\n")
                for choice in completion.choices:
                    row = json.loads(choice.message.content)
                    if row["input"] and row["output"] and row["input"] not in accepted and len(accepted) < rows:
                        accepted[row["input"]] = row["output"]
                        first = first or time.perf_counter()

        await asyncio.gather(*(work() for _ in range(concurrency)))
    seconds = time.perf_counter() - began
    await client.close()
    return {"seconds": seconds, "rows": len(accepted), "firstRow": first - began, "requests": requests}


def generate(baseURL: str, rows: int, responses: int, concurrency: int) -> dict:  # noqa: N803 - the line's own names
    return asyncio.run(generate_rows(baseURL, rows, responses, concurrency))


serve_contender({"generate": generate})
