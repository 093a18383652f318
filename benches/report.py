"""Writes the measurements as BENCHMARKS.md. On its own it rewrites BENCHMARKS.md from `results.json`."""

import importlib.metadata
import json
import os
import platform
import subprocess
from pathlib import Path
from statistics import median

import programs

RESULTS = Path(__file__).parent / "results.json"
TITLES = {
    "m1": "M1: MLP 12288-25-12-6, batches of 32",
    "m2": "M2: MLP 12288-512-128-6 with batch norm, batches of 64",
    "m3": "M3: CNN, 3 x (3x3 convolution 32/64/128, batch norm, ReLU, pooling), 8192-128-6, batches of 64",
    "m4": "M4: ResNet, 3 stages of 2 blocks 32/64/128, batches of 64",
    "m5": "M5: ResNet-18 on images of 224x224, batches of 32",
    "m6": "M6: EfficientNet-Lite0, with depthwise convolutions, on images of 224x224, batches of 32",
}
METHOD = """\
This file is written by `scripts/bench`. `scripts/bench m1 start` measures only the parts `m1` and
`start` and keeps the other figures, and those of other processors: ratios depend on the processor.
In a round every program runs once; the order changes from round
to round, except in the part `recipe`. A figure is the median over the rounds of its row; the
column "rounds" gives their number, and a figure of one round is a single measurement. Other frameworks
that are slower than 85 % of the fastest one in the first round are not measured again. Each measurement is
a process of its own, with {threads} threads on {threads} cores.

**Rate.** The rate is that of complete training steps in the steady state: gather the bytes of a shuffled
batch, convert to f32, standardise, forward pass, cross-entropy, backward pass, Adam. All programs
train on the same 1080 synthetic images of 64x64x3, or 128 of 224x224x3. The rate is computed from the difference between a
long and a short run, which removes start-up and compilation: two runs of the program `trainer`, or
two calls in one process after a warm-up for the other frameworks. The ratio is the median over the
rounds of the rate divided by that of the fastest other framework.

**Differences between the programs.** All of them favour the other frameworks. The trainer reads the
scores back and checks that loss and gradients are finite in every step, and the last batch of its epochs
is smaller; the others read nothing back and skip that batch. In the row "trainer" the report and the
checkpoint are written at the end of a run only, so that the difference removes them; the others write
none. The row "trainer, as it comes" is the default: a report in every epoch, which here has only 1080 images,
and a checkpoint every ten seconds. The row "trainer, a checkpoint every epoch" has one in every epoch. Checkpoints
are synced to the disk.

**Other frameworks.** The programs follow the performance guides of the frameworks: bytes in memory in the
layout that the model needs, gradients set to none, denormal numbers flushed, donated state (JAX), input
prefetched and several steps in one call (Keras, on TensorFlow). "Compiled" includes fused Adam and,
for convolutions, the channels-last layout. "With memory kept" sets `MALLOC_MMAP_MAX_=0` and similar
variables, so that glibc returns no memory to the system; few users do this, but it can double the rate of
convolutions. Compilers may use their caches, except where the start-up time is measured.

**Memory.** The peak resident memory of a process. For the trainer it includes the final evaluation.
"""


def main():
    write(json.loads(RESULTS.read_text()), RESULTS.parent.parent / "BENCHMARKS.md")


def write(results, path):
    texts = ["# Benchmarks", METHOD.format(threads=programs.THREADS)]
    for name, measured in results.items():
        texts += [f"## {name}", measured["machine"]]
        texts += [model(TITLES[part], measured[part]) for part in TITLES if part in measured]
        tables = {"start": start, "recipe": recipe, "streaming": streaming, "prediction": prediction, "folder": folder,
                  "cores": cores}
        texts += [table(measured[part]) for part, table in tables.items() if part in measured]
    path.write_text("\n\n".join(text.strip() for text in texts) + "\n")


def line(figures):
    """One measurement as text."""
    return ", ".join(f"{name} {value:.4g}" for name, value in figures.items() if isinstance(value, (int, float)))


# Tables


def model(title, result):
    rows = medians(result)
    others = [name for name in rows if not name.startswith("trainer")]
    fastest = max(others, key=lambda name: rows[name]["rate"], default=None)
    cells = [[label(name), f"{row['rate']:,.0f}", ratio(result, name, fastest), f"{row['memory']:,.0f} MB"]
             for name, row in rows.items()]
    note = f"The fastest other framework is {label(fastest)}." if fastest else "No other framework is installed."
    return section(title, result, ["", "images/s", "relative to the fastest other", "peak memory"], cells) + f"\n\n{note}"


def ratio(result, name, reference):
    """The median over the rounds of the rate relative to that of `reference`."""
    if reference is None:
        return ""
    pairs = zip(result["figures"][name], result["figures"][reference])
    return f"{median(ours['rate'] / theirs['rate'] for ours, theirs in pairs):.2f}"


def start(result):
    cells = [[label(name), f"{row['first step']:.2f} s"] for name, row in medians(result).items()]
    return section("From the start of the process to the end of the first step, M1", result, ["", "time"], cells)


def recipe(result):
    cells = []
    for name, rounds in result["figures"].items():
        reached = [figures["to target"] or float("inf") for figures in rounds]
        times = (median(reached), min(reached), max(reached))
        shown = ["not reached" if time == float("inf") else f"{time:.1f} s" for time in times]
        epochs = median(figures["epochs"] for figures in rounds)
        epoch = median(figures["epoch"] for figures in rounds)
        cells.append([name, *shown, f"{epochs:.0f}", f"{epoch:.2f} s"])
    heads = ["", "time to 98 % test accuracy", "fastest", "slowest", "epochs", "time per epoch, with start-up and evaluation"]
    text = ("Times are from the start of the process. Each round has another seed. Both programs evaluate on the test "
            "images after every epoch.")
    return section("SIGNS to 98 %: `configs/signs_fast.toml`", result, heads, cells) + f"\n\n{text}"


def streaming(result):
    cells = [[name, f"{row['rate']:,.0f}", ratio(result, name, "in memory"), f"{row['memory']:,.0f} MB"]
             for name, row in medians(result).items()]
    heads = ["", "images/s", "relative to in memory", "peak memory"]
    return section("M2 on 200,000 images, 2.4 GB", result, heads, cells)


def prediction(result):
    cells = [[name, f"{row['rate']:,.0f}", ratio(result, name, name.replace("trainer", "ONNX Runtime")),
              f"{1e3 * row['p50']:.2f} ms", f"{1e3 * row['p99']:.2f} ms"] for name, row in medians(result).items()]
    heads = ["", "images/s", "relative to ONNX Runtime", "median of a call", "99th percentile"]
    text = ("From bytes to probabilities, in process: `crates/trainer/benches/prediction.rs` on the best model of a "
            "run, ONNX Runtime on its export.")
    return section("Prediction with `configs/signs_cnn.toml`", result, heads, cells) + f"\n\n{text}"


def folder(result):
    fastest = max((name for name in result["figures"] if name != "trainer"), key=lambda name: medians(result)[name]["rate"])
    cells = [[name, f"{row['rate']:,.0f}", ratio(result, name, fastest)] for name, row in medians(result).items()]
    text = ("2,000 JPEG files of 640x480, decoded and resized to 224x224. `trainer data import` also writes them to an "
            "HDF5 file, and its time includes its start; that of the other loaders begins with their second batch. Pillow decodes "
            "JPEG at half its size (`draft`), the others at its full size.")
    return section("Loading a folder of photos", result, ["", "images/s", "relative to the fastest other"], cells) + f"\n\n{text}"


def cores(result):
    """The share of a step that does not get faster with threads, and what that means for more of them (Amdahl's law)."""
    rates, cells = medians(result), []
    for model in sorted({name.split(",")[0] for name in rates}):
        one, two = (rates[f"{model}, {count}"]["rate"] for count in (1, 2))
        serial = min(max(2 * one / two - 1, 0), 1)
        speedups = [f"{1 / (serial + (1 - serial) / count):.1f}" for count in (8, 32, 64)]
        cells.append([model.upper(), f"{one:,.0f}", f"{two:,.0f}", f"{100 * serial:.0f} %", *speedups])
    heads = ["", "images/s, one thread", "two threads", "serial share", "8 threads at most", "32 at most", "64 at most"]
    rounds = [len(rounds) for rounds in result["figures"].values()]
    text = ("The serial share follows from both rates by Amdahl's law, and bounds the speed-up by more threads: memory "
            "bandwidth and small batches may bound it more. It has not been measured with more than two cores.")
    return titled("More cores", result, rounds, heads, cells) + f"\n\n{text}"


def medians(result):
    """The median of each number over the rounds of each row."""
    return {name: medians_of_row(rounds) for name, rounds in result["figures"].items()}


def medians_of_row(rounds):
    names = [name for name, value in rounds[0].items() if isinstance(value, (int, float))]
    return {name: median(figures[name] for figures in rounds if figures[name] is not None) for name in names
            if any(figures[name] is not None for figures in rounds)}


def label(name):
    return name.replace("_", " ")


def section(title, result, heads, cells):
    """A table with the number of rounds of each row in its last column."""
    rounds = [len(rounds) for rounds in result["figures"].values()]
    rows = [row + [str(count)] for row, count in zip(cells, rounds)]
    return titled(title, result, rounds, heads + ["rounds"], rows)


def titled(title, result, rounds, heads, rows):
    rows = [heads, ["---"] + ["---:"] * (len(heads) - 1), *rows]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"### {title}\n\nMeasured on {result['date']}: {statistic(rounds)}.\n\n{table}"


def statistic(rounds):
    """What the figures of a table are, by the number of rounds of its rows."""
    if max(rounds) == 1:
        return "one round, single measurements"
    return f"medians of {max(rounds)} rounds" if min(rounds) == max(rounds) else "medians of the rounds of each row"


# Machine


def machine():
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    facts = [f"{os.cpu_count()} cores", f"{memory:.0f} GiB", system(), f"Python {platform.python_version()}"]
    return ", ".join(facts + versions()) + "."


def processor():
    cpuinfo = Path("/proc/cpuinfo").read_text()
    names = [line.split(":")[1].strip() for line in cpuinfo.splitlines() if "model name" in line]
    name = names[0] if names else platform.machine()
    return f"{name} with AVX-512" if "avx512f" in cpuinfo else name


def system():
    release = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return f"{release}, kernel {platform.release()}"


def versions():
    trainer = subprocess.run([os.environ["TRAINER"], "--version"], capture_output=True, text=True).stdout.strip()
    names = {"PyTorch": "torch", "JAX": "jax", "Keras": "keras", "TensorFlow": "tensorflow-cpu",
             "ONNX Runtime": "onnxruntime", "OpenCV": "opencv-python-headless", "Pillow": "pillow"}
    known = {package.metadata["Name"].replace("_", "-") for package in importlib.metadata.distributions()}
    return [trainer] + [f"{name} {importlib.metadata.version(package)}" for name, package in names.items() if package in known]


if __name__ == "__main__":
    main()
