"""Measures the given parts, or all, and writes BENCHMARKS.md. Started by `scripts/bench`."""

import json
import os
import random
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

# Epochs of the short and the long run of the trainer, steps per call of the other frameworks, rounds.
MODELS = {"m1": ((20, 220), 33, 3), "m2": ((2, 24), 16, 3), "m3": ((1, 6), 8, 3), "m4": ((1, 2), 2, 3)}
SECONDS = 1 if QUICK else 6
KEPT = " with memory kept"
VARIANTS = {
    "PyTorch": ["eager", "fused", "channels_last", "channels_last_fused", "compiled", "fused" + KEPT,
                "channels_last_fused" + KEPT, "compiled" + KEPT, "compiled_autotuned" + KEPT],
    "JAX": ["jit", "scan"],
    "Keras": ["jit", "graph", "jit" + KEPT, "graph" + KEPT],
}
# glibc then returns no memory to the system, and large tensors cause no page faults.
KEEP = {"MALLOC_MMAP_MAX_": 0, "MALLOC_TRIM_THRESHOLD_": 2**34, "MALLOC_TOP_PAD_": 2**26}


def main():
    parts = sys.argv[1:] or [*MODELS, "start", "recipe", "streaming"]
    known = dict.fromkeys(MODELS, measure_model) | {"start": start, "recipe": recipe, "streaming": streaming}
    if unknown := set(parts) - set(known):
        sys.exit(f"unknown part {', '.join(sorted(unknown))}: the parts are {' '.join(known)}")
    warn_of_load()
    programs.pin()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        for part in parts:
            if figures := known[part](part, Path(directory)):
                load = os.getloadavg()[0]
                results["machine"] = report.machine()
                results[part] = {"date": time.strftime("%Y-%m-%d"), "load": load, "figures": figures}
                RESULTS.write_text(json.dumps(results, indent=1) + "\n")
                report.write(results, REPORT)
    say(f"written: {REPORT}")


def warn_of_load():
    load = os.getloadavg()[0]
    if load > 0.3:
        say(f"warning: other programs are running (load {load:.1f}): the rates will be too low")


def say(text):
    print(text, file=sys.stderr, flush=True)


# Parts


def measure_model(model, directory):
    """Images per second, seconds to the first step and memory of the trainer and of every variant."""
    epochs, steps, rounds = MODELS[model]
    config, data = CONFIGS / f"{model}.toml", synthesize(directory, IMAGES)
    candidates = {
        "trainer": lambda _: trainer_rate(config, directory, data, epochs, IMAGES, reports=False),
        "trainer, as it comes": lambda _: trainer_rate(config, directory, data, epochs, IMAGES, reports=True),
        "trainer, a checkpoint every epoch": lambda _: trainer_rate(
            config, directory, data, epochs, IMAGES, True, "training.checkpoint.every_epochs=1"),
    }
    for name, variant in variants(model):
        candidates[f"{name} {variant}"] = lambda _, name=name, variant=variant: framework(
            name, variant, config, data, steps, SECONDS)
    return alternate(model, candidates, rounds)


def start(part, directory):
    """Seconds from the start of the process to the end of its first step, for M1, with empty compiler
    caches."""
    config, data = CONFIGS / "m1.toml", synthesize(directory, IMAGES)
    candidates = {"trainer": lambda _: trainer_first_step(config, directory, data, 32)}
    for name, variant in variants("m1"):
        if variant.endswith(KEPT):
            continue
        candidates[f"{name} {variant}"] = lambda _, name=name, variant=variant: cold(name, variant, config, data)
    return alternate(part, candidates, 3)


def recipe(part, directory):
    """Seconds from the start of the process to the first epoch with 98 % on the test images. Each round has
    another seed, which causes most of the variance: hence more rounds."""
    config, script = ROOT / "configs" / "signs_fast.toml", ROOT / "benches" / "python" / "recipe.py"
    data = Path(os.environ.get("SIGNS_DIR", ROOT / "data" / "signs")).resolve()
    for path in (config, script, data / "test_signs.h5"):
        if not path.exists():
            return say(f"{part}: skipped, {path} is missing")
    run_dir, evaluated = directory / "recipe", test_as_validation(directory, data)
    resolved = run_dir / "config.toml"
    candidates = {
        "trainer": lambda seed: trainer_recipe(config, run_dir, evaluated, seed),
        "PyTorch": lambda seed: pytorch_recipe(script, resolved, seed, SIGNS_DIR=data),
        "PyTorch" + KEPT: lambda seed: pytorch_recipe(script, resolved, seed, SIGNS_DIR=data, **KEEP),
    }
    return alternate(part, candidates, 9)


def test_as_validation(directory, data):
    """A directory of SIGNS with the test images as validation set, on which the trainer evaluates after every
    epoch. The test set that it also requires is synthetic."""
    directory = synthesize(directory, CLASSES)
    (directory / "train_signs.h5").unlink()
    (directory / "train_signs.h5").symlink_to(data / "train_signs.h5")
    script = ROOT / "benches" / "python" / "as_validation.py"
    command = [sys.executable, script, data / "test_signs.h5", directory / "validation.h5"]
    subprocess.run(command, check=True)
    return directory


def streaming(part, directory):
    """M2 on images that stay in their file, and in memory."""
    config, data = CONFIGS / "m2.toml", synthesize(directory, STREAMED_IMAGES)
    candidates = {
        name: lambda _, setting=setting: trainer_rate(
            config, directory, data, (1, 2), STREAMED_IMAGES, False, f"dataset.hdf5.in_memory={setting}")
        for name, setting in (("streamed", "false"), ("in memory", "true"))
    }
    return alternate(part, candidates, 3)


# Measurements


def alternate(part, candidates, rounds):
    """Measures every candidate once per round. Candidates take the number of the round."""
    figures = {name: [] for name in candidates}
    for number in range(1, 2 if QUICK else rounds + 1):
        order = list(candidates)
        # PyTorch reads a config that the trainer's recipe writes.
        if part != "recipe":
            random.Random(number).shuffle(order)
        for name in order:
            figures[name].append(candidates[name](number))
            say(f"{part} round {number}: {name}: {report.line(figures[name][-1])}")
    return figures


def variants(model):
    """The variants of the other frameworks that differ for the model."""
    for name in programs.installed():
        for variant in VARIANTS[name]:
            layout = variant.startswith("channels_last") and model in ("m1", "m2")
            # XLA runs convolutions in a loop several times slower.
            loop = variant == "scan" and model in ("m3", "m4")
            if not layout and not loop:
                yield name, variant


def trainer_rate(config, directory, data, epochs, images, reports, *settings):
    """The rate from the difference between a long and a short run: start-up, final evaluation and report
    cancel out."""
    short, long = epochs
    long = short + (long - short + 9) // 10 if QUICK else long
    runs = []
    for count in (short, long):
        every = 1 if reports else count
        overrides = (f"training.epochs={count}", f"training.report_every_epochs={every}", *settings)
        runs.append(programs.train(config, directory / "run", data, *overrides))
    seconds = runs[1].seconds - runs[0].seconds
    if seconds <= 0:
        sys.exit("the long run was not slower than the short one: stop other programs and try again")
    return {"rate": (long - short) * images / seconds, "memory": max(run.memory for run in runs)}


def trainer_first_step(config, directory, data, batch_size):
    """The training set is split so that an epoch is one batch. Its timing is written when it ends."""
    held_out = 1 - (batch_size // CLASSES) * CLASSES / IMAGES
    settings = ("training.epochs=1", f"split.validation_fraction={held_out:.5f}")
    process = programs.train(config, directory / "run", data, *settings)
    end = (directory / "run" / "timings.jsonl").stat().st_mtime
    return {"first step": end - process.started, "memory": process.memory}


def framework(name, variant, *arguments, **environment):
    keep = KEEP if variant.endswith(KEPT) else {}
    return programs.framework(name, variant.removesuffix(KEPT), *arguments, **keep, **environment)


def cold(name, variant, config, data):
    """With one step per call, so that Keras does only one."""
    with tempfile.TemporaryDirectory() as cache:
        return framework(name, variant, config, data, 1, 0, TORCHINDUCTOR_CACHE_DIR=cache)


def trainer_recipe(config, run_dir, data, seed):
    hdf5 = ('dataset.hdf5.validation="validation.h5"', 'dataset.hdf5.on_missing="fail"')
    settings = (*hdf5, "split.validation_fraction=0.0", "training.final_fit=false", f"seed={seed}")
    return time_to_target(lambda until: programs.train(config, run_dir, data, *settings, until=until),
                          validation_accuracy(run_dir))


def validation_accuracy(run_dir):
    """A function of a line of the trainer: the validation accuracy of the epoch that was written to the metrics
    since the line before, or none."""
    epochs = 0

    def accuracy(_):
        nonlocal epochs
        path = run_dir / "metrics.jsonl"
        rows = path.read_text().split("\n")[:-1] if path.exists() else []
        if len(rows) == epochs:
            return None
        epochs = len(rows)
        return json.loads(rows[-1])["validation_accuracy"]

    return accuracy


def pytorch_recipe(script, config, seed, **environment):
    command = [sys.executable, script, config, "--seed", str(seed), "--threads", str(programs.THREADS)]
    return time_to_target(lambda until: programs.Process(command, until, **environment),
                          lambda line: json.loads(line)["test"])


def time_to_target(run, accuracy):
    """Stops a program after the first epoch with the target accuracy. `accuracy` is called with each line that
    it prints, and returns the accuracy of the epoch that has ended, if any."""
    scores = []

    def has_reached_target(line, seconds):
        score = accuracy(line)
        if score is not None:
            scores.append((seconds, score))
        return score is not None and score >= TARGET

    run(has_reached_target)
    times = [seconds for seconds, score in scores if score >= TARGET]
    return {"to target": times[0] if times else None, "epochs": len(scores), "epoch": scores[-1][0] / len(scores)}


def synthesize(directory, images):
    """The directory of a synthetic data set of this size."""
    directory = directory / f"data-{images}"
    if not directory.exists():
        command = [os.environ["TRAINER"], "data", "synthesize", "--out", directory, "--train", str(images), "--test", "120"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return directory


if __name__ == "__main__":
    main()
