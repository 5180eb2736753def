"""Runs StableHLO programs through JAX's own client: python run_with_jax.py FOLDER

FOLDER/programs.json lists the programs: their text's file, and the types and shapes of their inputs and outputs. Input K of program P is read from
FOLDER/P-input-K.bin, output K is written to FOLDER/P-output-K.bin. Made with the versions of jax-requirements.txt; the client is none
of JAX's promised interfaces, so that another version may need another call.
"""

import json
import os
import sys

# Where JAX sees a GPU too, both sides are to compute on the same kind of device.
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import numpy as np
from jax._src import compiler
from jax._src.lib import xla_client

types = {"float32": np.float32, "int32": np.int32, "bool": np.bool_}


def compile_program(text):
    devices = xla_client.DeviceList(tuple(jax.devices()[:1]))
    options = compiler.get_compile_options(num_replicas=1, num_partitions=1)
    return jax.devices()[0].client.compile_and_load(text, devices, options)


def run(folder, index, program):
    with open(os.path.join(folder, program["file"])) as file:
        executable = compile_program(file.read())
    inputs = []
    for at, spec in enumerate(program["inputs"]):
        values = np.fromfile(os.path.join(folder, f"{index}-input-{at}.bin"), types[spec["dtype"]])
        inputs.append(jax.device_put(values.reshape(spec["shape"])))
    outputs = executable.execute_sharded(inputs).disassemble_into_single_device_arrays()
    for at, (spec, (output, *_)) in enumerate(zip(program["outputs"], outputs, strict=True)):
        values = np.asarray(output)
        assert values.shape == tuple(spec["shape"]) and values.dtype == types[spec["dtype"]], (index, at, values.shape, values.dtype)
        values.tofile(os.path.join(folder, f"{index}-output-{at}.bin"))


def main(folder):
    with open(os.path.join(folder, "programs.json")) as file:
        programs = json.load(file)
    for index, program in enumerate(programs):
        run(folder, index, program)
    print(f"jax {jax.__version__} ran {len(programs)} programs")


main(sys.argv[1])
