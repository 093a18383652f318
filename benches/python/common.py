"""Shared by the programs for the other frameworks: they read the config of the trainer and the same data, and
measure in the same way.

    python pytorch.py CONFIG VARIANT --steps N --seconds S

trains N steps per call. Prints one line of JSON: the time at the end of the first step and, if S is not 0, images
per second over about S seconds after a warm-up.
"""

import argparse
import json
import math
import os
import statistics
import sys
import time
import tomllib
from pathlib import Path

import h5py
import numpy as np


def main(build):
    """`build(config, images, labels, steps, variant)` returns `train(count)`, which completes `count` training
    steps, one or a multiple of `steps`, before it returns."""
    arguments = parse_arguments()
    config = tomllib.loads(Path(arguments.config).read_text())
    train = build(config, *load(config), arguments.steps, arguments.variant)
    train(1)
    result = {"first_step_at": time.time()}
    if arguments.seconds:
        batch_size = config["training"]["batch_size"]
        result["images_per_second"] = rate(train, arguments.steps, arguments.seconds) * batch_size
    print(json.dumps(result), flush=True)
    # Skips the exit handlers of the libraries, which are not measured and can crash.
    os._exit(0)


def rate(train, steps, seconds):
    """Steps per second, from the difference between a long and a short call, as for the trainer."""
    train(steps)
    calls = math.ceil(seconds / timed(train, steps))
    timed(train, math.ceil(calls / 4) * steps)
    short = statistics.median(timed(train, steps) for _ in range(3))
    long = timed(train, (1 + calls) * steps)
    if long <= short:
        sys.exit("the long run was not slower than the short one: stop other programs and try again")
    return calls * steps / (long - short)


def timed(train, steps):
    start = time.perf_counter()
    train(steps)
    return time.perf_counter() - start


def load(config):
    """Images u8 [n, height, width, channels] and labels i64 [n]."""
    source = config["dataset"]["hdf5"]
    path = Path(os.environ[source["directory_env"]]) / source["train"]
    with h5py.File(path) as file:
        return file["train_set_x"][:], file["train_set_y"][:].ravel().astype(np.int64)


def standardization(images):
    """Factor and summand of each channel, f32 [channels]: `pixel * factor + summand` has mean 0 and standard
    deviation 1."""
    pixels = images.reshape(-1, images.shape[-1])
    mean, deviation = pixels.mean(0, dtype=np.float64), pixels.std(0, dtype=np.float64)
    return (1 / deviation).astype(np.float32), (-mean / deviation).astype(np.float32)


def parse_arguments():
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("config")
    parser.add_argument("variant")
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=0)
    return parser.parse_args()
