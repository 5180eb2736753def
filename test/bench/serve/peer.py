"""The same student behind Python transformers with FastAPI, as their documentation shows it: an endpoint that calls generate. The model answers
one request at a time, which on these cores is faster than several calls of generate beside each other."""
import sys
import threading

import torch
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

folder, port, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
lock = threading.Lock()
app = FastAPI()


class Question(BaseModel):
    prompt: str
    max_tokens: int


@app.get("/health")
def health():
    return {"status": "ok"}


@app.post("/v1/completions")
def complete(question: Question):
    inputs = tokenizer(question.prompt, return_tensors="pt")
    with lock, torch.inference_mode():
        tokens = model.generate(**inputs, max_new_tokens=question.max_tokens, do_sample=False, num_beams=1)
    return {"choices": [{"text": tokenizer.decode(tokens[0], skip_special_tokens=True)}]}


uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")
