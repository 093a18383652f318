"""Measures the given parts, or all, and writes BENCHMARKS.md. Started by `scripts/bench`."""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

import programs
import report

ROOT = Path(__file__).parent.parent
CONFIGS = ROOT / "benches" / "configs"
QUICK = "BENCH_QUICK" in os.environ
RESULTS = Path(tempfile.gettempdir(), "bench-quick.json") if QUICK else ROOT / "benches" / "results.json"
REPORT = RESULTS.with_suffix(".md") if QUICK else ROOT / "BENCHMARKS.md"

IMAGES, CLASSES = 1080, 6
STREAMED_IMAGES = 20_000 if QUICK else 200_000
PHOTOS, PHOTO_SIDE = 200 if QUICK else 2000, 224
TARGET = 0.98

# Epochs of the short and the long run of the trainer, steps per call of the other frameworks, images, their
# height and width.
MODELS = {
    "m1": ((20, 220), 33, IMAGES, 64),
    "m2": ((2, 24), 16, IMAGES, 64),
    "m3": ((1, 6), 8, IMAGES, 64),
    "m4": ((1, 2), 2, IMAGES, 64),
    "m5": ((1, 3), 1, 128, 224),
    "m6": ((1, 3), 1, 128, 224),
}
ROUNDS = 5
# Other frameworks that are slower than this share of the fastest one take part in the first round only.
CONTENDER = 0.85
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
    others = {"start": start, "recipe": recipe, "streaming": streaming, "prediction": prediction, "folder": folder,
              "cores": cores}
    known = dict.fromkeys(MODELS, measure_model) | others
    parts = sys.argv[1:] or list(known)
    if unknown := set(parts) - set(known):
        sys.exit(f"unknown part {', '.join(sorted(unknown))}: the parts are {' '.join(known)}")
    warn_of_load()
    programs.pin()
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        for part in parts:
            if figures := known[part](part, Path(directory)):
                here = results.setdefault(report.processor(), {})
                here["machine"] = report.machine()
                here[part] = {"date": time.strftime("%Y-%m-%d"), "load": os.getloadavg()[0], "figures": figures}
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
    epochs, steps, images, side = MODELS[model]
    config, data = CONFIGS / f"{model}.toml", synthesize(directory, images, side)
    candidates = {
        "trainer": lambda _: trainer_rate(config, directory, data, epochs, images, reports=False),
        "trainer, as it comes": lambda _: trainer_rate(config, directory, data, epochs, images, reports=True),
        "trainer, a checkpoint every epoch": lambda _: trainer_rate(
            config, directory, data, epochs, images, True, "training.checkpoint.every_epochs=1"),
    }
    for name, variant in variants(model):
        candidates[f"{name} {variant}"] = lambda _, name=name, variant=variant: framework(
            name, variant, config, data, steps, SECONDS)
    return alternate(model, candidates, ROUNDS, drops=True)


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


def prediction(part, directory):
    """Images per second and latency of `signs_cnn` in process, for single images and for batches of 64."""
    run_dir, data = directory / "predicted", synthesize(directory, IMAGES)
    programs.train(ROOT / "configs" / "signs_cnn.toml", run_dir, data, "training.epochs=1", "training.final_fit=false")
    exported = directory / "predicted.onnx"
    subprocess.run([os.environ["TRAINER"], "export", run_dir, "--to", "onnx", "--out", exported], check=True)
    bench = ["cargo", "bench", "--quiet", "--locked", "--package", "trainer", "--features", "ndarray,serve", "--bench", "prediction"]
    commands = {
        "trainer": [*bench, "--", run_dir / "best_model.bpk"],
        "ONNX Runtime": [sys.executable, programs.HERE / "python" / "onnx_runtime.py", exported],
    }
    return alternate(part, {
        f"{name}, batches of {batch}": lambda _, command=command, batch=batch: json.loads(
            programs.Process([*command, str(batch), str(SECONDS)]).last_line)
        for name, command in commands.items() for batch in (1, 64)
    }, ROUNDS)


def folder(part, directory):
    """Decoding and resizing of a folder of photos, for all of which the trainer also writes a file."""
    photos, script = directory / "photos", programs.HERE / "python" / "image_folder.py"
    subprocess.run([sys.executable, script, "write", photos, str(PHOTOS)], check=True)
    libraries = {"PyTorch DataLoader, Pillow": "pillow", "PyTorch DataLoader, OpenCV": "opencv"}
    return alternate(part, {"trainer": lambda _: trainer_import(photos, directory / "photos.h5")} | {
        name: lambda _, library=library: json.loads(
            programs.Process([sys.executable, script, "load", photos, library, str(PHOTO_SIDE)]).last_line)
        for name, library in libraries.items()
    }, ROUNDS)


def cores(part, directory):
    """The rates of the trainer with one thread and with two."""
    figures = {}
    for model in ("m1", "m2", "m3", "m4"):
        epochs, _, images, side = MODELS[model]
        config, data = CONFIGS / f"{model}.toml", synthesize(directory, images, side)
        figures |= alternate(part, {
            f"{model}, {count}": lambda _, count=count, config=config, epochs=epochs, data=data, images=images:
            trainer_rate(config, directory, data, epochs, images, False, RAYON_NUM_THREADS=count)
            for count in (1, 2)
        }, 3)
    return figures


# Measurements


def trainer_import(photos, out):
    out.unlink(missing_ok=True)
    command = [os.environ["TRAINER"], "data", "import", photos, "--out", out, "--size", str(PHOTO_SIDE), "--json"]
    return {"rate": PHOTOS / programs.Process(command).seconds}


def alternate(part, candidates, rounds, drops=False):
    """Measures every candidate once per round, or in the first round only if it is slow and `drops` is set. Candidates
    take the number of the round."""
    figures = {name: [] for name in candidates}
    for number in range(1, 2 if QUICK else rounds + 1):
        order = [name for name in candidates if number == 1 or not drops or is_contender(name, figures)]
        # PyTorch reads a config that the trainer's recipe writes.
        if part != "recipe":
            random.Random(number).shuffle(order)
        for name in order:
            figures[name].append(candidates[name](number))
            say(f"{part} round {number}: {name}: {report.line(figures[name][-1])}")
    return figures


def is_contender(name, figures):
    """Whether a row goes on after the first round: those of the trainer, and the fastest others."""
    others = {other: rounds[0]["rate"] for other, rounds in figures.items() if not other.startswith("trainer")
              and "rate" in rounds[0]}
    return name not in others or others[name] >= CONTENDER * max(others.values())


def variants(model):
    """The variants of the other frameworks that differ for the model."""
    for name in programs.installed():
        if name != "PyTorch" and model in ("m5", "m6"):
            continue
        for variant in VARIANTS[name]:
            layout = variant.startswith("channels_last") and model in ("m1", "m2")
            # XLA runs convolutions in a loop several times slower.
            loop = variant == "scan" and model in ("m3", "m4")
            if not layout and not loop:
                yield name, variant


def trainer_rate(config, directory, data, epochs, images, reports, *settings, **environment):
    """The rate from the difference between a long and a short run: start-up, final evaluation and report
    cancel out."""
    short, long = epochs
    long = short + (long - short + 9) // 10 if QUICK else long
    runs = []
    for count in (short, long):
        every = 1 if reports else count
        overrides = (f"training.epochs={count}", f"training.report_every_epochs={every}", *settings)
        runs.append(programs.train(config, directory / "run", data, *overrides, **environment))
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


def synthesize(directory, images, side=64):
    """The directory of a synthetic data set of this size."""
    directory = directory / f"data-{images}-{side}"
    if not directory.exists():
        command = [os.environ["TRAINER"], "data", "synthesize", "--out", directory, "--train", str(images)]
        command += ["--test", "120" if side == 64 else "12"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        if side != 64:
            scale(directory, side)
    return directory


def scale(directory, side):
    """Repeats rows and columns of all images."""
    index = np.arange(side) * 64 // side
    for part in ("train", "test"):
        with h5py.File(directory / f"{part}_signs.h5", "r+") as file:
            images = file[f"{part}_set_x"][:][:, index][:, :, index]
            del file[f"{part}_set_x"]
            file[f"{part}_set_x"] = images


if __name__ == "__main__":
    main()
