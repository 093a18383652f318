"""Measures the parts that are named, or all, and writes BENCHMARKS.md. Started by `scripts/bench`."""

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import programs
import report

ROOT = Path(__file__).parent.parent
CONFIGS = ROOT / "benches" / "configs"
QUICK = "BENCH_QUICK" in os.environ
RESULTS = Path(tempfile.gettempdir(), "bench-quick.json") if QUICK else ROOT / "benches" / "results.json"
REPORT = RESULTS.with_suffix(".md") if QUICK else ROOT / "BENCHMARKS.md"

IMAGES, CLASSES = 1080, 6
STREAMED_IMAGES = 20_000 if QUICK else 200_000
TARGET = 0.98

# Epochs of the short and the long run of the trainer, steps in a chunk of the peers, rounds.
MODELS = {"m1": ((20, 220), 33, 3), "m2": ((2, 24), 16, 3), "m3": ((1, 6), 8, 3), "m4": ((1, 2), 2, 3)}
SECONDS = 1 if QUICK else 6
KEPT = " with memory kept"
VARIANTS = {
    "PyTorch": ["eager", "fused", "channels_last", "channels_last_fused", "compiled", "fused" + KEPT,
                "channels_last_fused" + KEPT, "compiled" + KEPT, "compiled_autotuned" + KEPT],
    "JAX": ["jit", "scan"],
    "Keras": ["jit", "graph", "jit" + KEPT, "graph" + KEPT],
}
# glibc then gives no memory back to the system, and large tensors cost no page faults.
KEEP = {"MALLOC_MMAP_MAX_": 0, "MALLOC_TRIM_THRESHOLD_": 2**34, "MALLOC_TOP_PAD_": 2**26}


def main():
    parts = sys.argv[1:] or [*MODELS, "start", "recipe", "streaming"]
    known = dict.fromkeys(MODELS, measure_model) | {"start": start, "recipe": recipe, "streaming": streaming}
    if unknown := set(parts) - set(known):
        sys.exit(f"there is no part {', '.join(sorted(unknown))}: the parts are {' '.join(known)}")
    warn_of_load()
    programs.pin()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        for part in parts:
            if figures := known[part](part, Path(place)):
                load = os.getloadavg()[0]
                results[part] = {"date": time.strftime("%Y-%m-%d"), "load": load, "figures": figures}
                RESULTS.write_text(json.dumps(results, indent=1) + "\n")
                report.write(results, REPORT)
    say(f"written: {REPORT}")


def warn_of_load():
    load = os.getloadavg()[0]
    if load > 0.3:
        say(f"warning: something else is running (load {load:.1f}): the figures will be too low")


def say(text):
    print(text, file=sys.stderr, flush=True)


# Parts


def measure_model(model, place):
    """Images a second, seconds to the first step and memory of the trainer and of every variant."""
    epochs, steps, rounds = MODELS[model]
    config, data = CONFIGS / f"{model}.toml", draw(place, IMAGES)
    candidates = {
        "trainer": lambda _: trainer_rate(config, place, data, epochs, IMAGES, reports=False),
        "trainer, a checkpoint every epoch": lambda _: trainer_rate(config, place, data, epochs, IMAGES, reports=True),
    }
    for name, variant in variants(model):
        candidates[f"{name} {variant}"] = lambda _, name=name, variant=variant: peer(
            name, variant, config, data, steps, SECONDS)
    return alternate(model, candidates, rounds)


def start(part, place):
    """Seconds from the start of the process to the end of its first step, of M1, nothing being compiled
    beforehand."""
    config, data = CONFIGS / "m1.toml", draw(place, IMAGES)
    candidates = {"trainer": lambda _: trainer_first_step(config, place, data, 32)}
    for name, variant in variants("m1"):
        if variant.endswith(KEPT):
            continue
        candidates[f"{name} {variant}"] = lambda _, name=name, variant=variant: cold(name, variant, config, data)
    return alternate(part, candidates, 3)


def recipe(part, place):
    """Seconds from the start of the process to the first epoch with 98 % on the test images. Each round has
    another seed, by whose luck most of the differences are: hence more rounds."""
    config, script = ROOT / "configs" / "signs_fast.toml", ROOT / "benches" / "python" / "recipe.py"
    data = Path(os.environ.get("SIGNS_DIR", ROOT / "data" / "signs")).resolve()
    for path in (config, script, data / "test_signs.h5"):
        if not path.exists():
            return say(f"{part}: left out, there is no {path}")
    run_dir, ours = place / "recipe", scored_each_epoch(place, data)
    resolved = run_dir / "config.toml"
    candidates = {
        "trainer": lambda seed: trainer_recipe(config, run_dir, ours, seed),
        "PyTorch": lambda seed: pytorch_recipe(script, resolved, seed, SIGNS_DIR=data),
        "PyTorch" + KEPT: lambda seed: pytorch_recipe(script, resolved, seed, SIGNS_DIR=data, **KEEP),
    }
    return alternate(part, candidates, 9)


def scored_each_epoch(place, data):
    """The directory of SIGNS with the test images as those of validation, which the trainer scores after
    every epoch. It wants other ones for the test then: drawn ones."""
    directory = draw(place, CLASSES)
    (directory / "train_signs.h5").unlink()
    (directory / "train_signs.h5").symlink_to(data / "train_signs.h5")
    script = ROOT / "benches" / "python" / "as_validation.py"
    command = [sys.executable, script, data / "test_signs.h5", directory / "validation.h5"]
    subprocess.run(command, check=True)
    return directory


def streaming(part, place):
    """M2 on images that stay in their file, and in memory."""
    config, data = CONFIGS / "m2.toml", draw(place, STREAMED_IMAGES)
    candidates = {
        name: lambda _, setting=setting: trainer_rate(
            config, place, data, (1, 2), STREAMED_IMAGES, False, f"dataset.hdf5.in_memory={setting}")
        for name, setting in (("streamed", "false"), ("in memory", "true"))
    }
    return alternate(part, candidates, 3)


# Measurements


def alternate(part, candidates, rounds):
    """Every candidate once a round, which it is told: their figures, round by round."""
    figures = {name: [] for name in candidates}
    for turn in range(1, 2 if QUICK else rounds + 1):
        order = list(candidates)
        # Each round has another order, but PyTorch reads a config that the trainer's recipe leaves.
        if part != "recipe":
            random.Random(turn).shuffle(order)
        for name in order:
            figures[name].append(candidates[name](turn))
            say(f"{part} round {turn}: {name}: {report.line(figures[name][-1])}")
    return figures


def variants(model):
    """The peers' variants that differ for the model."""
    for name in programs.installed():
        for variant in VARIANTS[name]:
            layout = variant.startswith("channels_last") and model in ("m1", "m2")
            # XLA runs convolutions within a loop several times more slowly.
            loop = variant == "scan" and model in ("m3", "m4")
            if not layout and not loop:
                yield name, variant


def trainer_rate(config, place, data, epochs, images, reports, *settings):
    """From the difference of a long and a short run: start, last evaluation and what a run leaves at its
    end cancel out."""
    short, long = epochs
    long = short + (long - short + 9) // 10 if QUICK else long
    runs = []
    for count in (short, long):
        every = 1 if reports else count
        told = (f"training.epochs={count}", f"training.report_every_epochs={every}", *settings)
        runs.append(programs.train(config, place / "run", data, *told))
    seconds = runs[1].seconds - runs[0].seconds
    if seconds <= 0:
        sys.exit("a long run took no longer than a short one: leave the machine alone and try again")
    return {"rate": (long - short) * images / seconds, "memory": max(run.memory for run in runs)}


def trainer_first_step(config, place, data, batch_size):
    """The training set is split so that its first epoch is one batch; the log tells when it ends."""
    held_out = 1 - (batch_size // CLASSES) * CLASSES / IMAGES
    settings = ("training.epochs=1", f"split.validation_fraction={held_out:.5f}")
    process = programs.train(config, place / "run", data, *settings)
    end = next(programs.logged(process, place / "run", r"train_epoch\{epoch=1\}.*close"))
    return {"first step": end[0], "memory": process.memory}


def peer(name, variant, *arguments, **environment):
    keep = KEEP if variant.endswith(KEPT) else {}
    return programs.peer(name, variant.removesuffix(KEPT), *arguments, **keep, **environment)


def cold(name, variant, config, data):
    """A step is a chunk, so that Keras does no more than one."""
    with tempfile.TemporaryDirectory() as cache:
        return peer(name, variant, config, data, 1, 0, TORCHINDUCTOR_CACHE_DIR=cache)


def trainer_recipe(config, run_dir, data, seed):
    hdf5 = ('dataset.hdf5.validation="validation.h5"', 'dataset.hdf5.on_missing="fail"')
    settings = (*hdf5, "split.validation_fraction=0.0", f"seed={seed}")
    return reached(lambda until: programs.train(config, run_dir, data, *settings, until=until), trainer_accuracy)


def trainer_accuracy(line):
    match = re.search(r"^epoch .*valid.* ([0-9.]+) %", line)
    return float(match[1]) / 100 if match else 0.0


def pytorch_recipe(script, config, seed, **environment):
    command = [sys.executable, script, config, "--seed", str(seed), "--threads", str(programs.THREADS)]
    return reached(lambda until: programs.Process(command, until, **environment), lambda line: json.loads(line)["test"])


def reached(run, accuracy):
    """Of a program that is stopped once it has reached the target."""
    process = run(lambda line: accuracy(line) >= TARGET)
    scores = [(seconds, accuracy(line)) for seconds, line in process.lines if accuracy(line)]
    times = [seconds for seconds, score in scores if score >= TARGET]
    return {"to target": times[0] if times else None, "epochs": len(scores), "epoch": scores[-1][0] / len(scores)}


def draw(place, images):
    """The directory of so many drawn images."""
    directory = place / f"data-{images}"
    if not directory.exists():
        command = [os.environ["TRAINER"], "data", "synthesize", "--out", directory, "--train", str(images), "--test", "120"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return directory


if __name__ == "__main__":
    main()
