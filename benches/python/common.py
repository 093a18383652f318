"""What the peers share: they read the config of the trainer and the same data, and are timed alike.

    python pytorch.py CONFIG VARIANT --steps N --seconds S

trains by chunks of N whole steps. Prints one line of JSON: the clock when the first step was done and,
if S is not 0, images a second over about S seconds after a warm-up.
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
    """`build(config, images, labels, steps, variant)` returns `train(count)`, which does `count` whole
    training steps, one or a multiple of `steps`, and returns when they are done."""
    arguments = parse_arguments()
    config = tomllib.loads(Path(arguments.config).read_text())
    train = build(config, *load(config), arguments.steps, arguments.variant)
    train(1)
    result = {"first_step_at": time.time()}
    if arguments.seconds:
        batch_size = config["training"]["batch_size"]
        result["images_per_second"] = rate(train, arguments.steps, arguments.seconds) * batch_size
    print(json.dumps(result), flush=True)
    # What libraries do on leaving is not measured, and some of them crash there.
    os._exit(0)


def rate(train, steps, seconds):
    """Steps a second: the difference between a long and a short call, as the trainer is timed."""
    train(steps)
    chunks = math.ceil(seconds / timed(train, steps))
    timed(train, math.ceil(chunks / 4) * steps)
    short = statistics.median(timed(train, steps) for _ in range(3))
    long = timed(train, (1 + chunks) * steps)
    if long <= short:
        sys.exit("a long run took no longer than a short one: leave the machine alone and try again")
    return chunks * steps / (long - short)


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
    """Factor and summand of each channel, f32 [channels]: a pixel times the one plus the other has
    mean 0 and deviation 1."""
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
