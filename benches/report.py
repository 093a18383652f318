"""The figures as BENCHMARKS.md."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from statistics import median

import programs

TITLES = {
    "m1": "M1: MLP 12288-25-12-6, batches of 32",
    "m2": "M2: MLP 12288-512-128-6 with batch norm, batches of 64",
    "m3": "M3: CNN, 3 x (3x3 convolution 32/64/128, batch norm, ReLU, pooling), 8192-128-6, batches of 64",
    "m4": "M4: ResNet, 3 stages of 2 blocks 32/64/128, batches of 64",
}
METHOD = """\
`scripts/bench` makes this file; `scripts/bench m1 start` measures only these parts again. Every figure
is the median of several rounds; in each round every program runs once, in another order. One process
a measurement, {threads} threads on {threads} cores.

A rate is that of whole training steps in the steady state: bytes of a shuffled batch gathered, made
f32, standardised, forward, cross-entropy, backward, Adam. The data are 1080 drawn images of 64x64x3,
the same for all. It is the difference between a long and a short run, so that start and compilation
do not count: of two whole runs of the program `trainer`; in the peers, of two calls in one process
after a warm-up. The ratio is the median over the rounds of a rate over that of the fastest peer.

What is unequal, to the advantage of the peers: the trainer reads the scores back in every step and
looks whether loss and gradients are finite, and its batch at the end of an epoch is smaller; the peers
read nothing back and leave that batch out. The first row of the trainer writes its report and checkpoint at
the end of a run only, which the difference takes out, since the peers write none. The second is the
trainer as it comes: a report and a checkpoint, synced to the disk, each epoch, which here is
1080 images short.

The peers are written as their manuals advise: bytes in memory in the layout that is wanted, gradients
set to none, denormal numbers flushed, state donated (JAX), input made ahead and a chunk of steps in one
call (Keras, on TensorFlow). "Compiled" has fused Adam, and channels last too. "With memory kept", glibc is told by
`MALLOC_MMAP_MAX_=0` and its like to give nothing back to the system, which few people do, but it can
double the rate of convolutions. Compilers may use their caches, except where the start is timed.
Memory is the peak of what is resident of a process, the final evaluation of the trainer included.
"""


def write(results, path):
    texts = ["# Benchmarks", machine(), METHOD.format(threads=programs.THREADS)]
    texts += [model(TITLES[part], results[part]) for part in TITLES if part in results]
    for part, table in (("start", start), ("recipe", recipe), ("streaming", streaming)):
        if part in results:
            texts.append(table(results[part]))
    path.write_text("\n\n".join(text.strip() for text in texts) + "\n")


def line(figures):
    """One measurement in words."""
    return ", ".join(f"{name} {value:.4g}" for name, value in figures.items() if isinstance(value, (int, float)))


# Tables


def model(title, result):
    rows = {name: middle(rounds) for name, rounds in result["figures"].items()}
    peers = [name for name in rows if not name.startswith("trainer")]
    best = max(peers, key=lambda name: rows[name]["rate"], default=None)
    cells = [[name.replace("_", " "), f"{row['rate']:,.0f}", times(result, name, best), f"{row['memory']:,.0f} MB"]
             for name, row in rows.items()]
    note = f"The fastest peer is {best.replace('_', ' ')}." if best else "No peer is installed."
    return section(title, result, ["", "images/s", "of the fastest peer", "peak memory"], cells) + f"\n\n{note}"


def times(result, name, best):
    if best is None:
        return ""
    pairs = zip(result["figures"][name], result["figures"][best])
    return f"{median(ours['rate'] / theirs['rate'] for ours, theirs in pairs):.2f}"


def start(result):
    rows = {name: middle(rounds) for name, rounds in result["figures"].items()}
    cells = [[name.replace("_", " "), f"{row['first step']:.2f} s"] for name, row in rows.items()]
    return section("Start of the process to the end of the first step, M1", result, ["", "median"], cells)


def recipe(result):
    cells = []
    for name, rounds in result["figures"].items():
        reached = [figures["to target"] or float("inf") for figures in rounds]
        times = (median(reached), min(reached), max(reached))
        shown = ["not reached" if time == float("inf") else f"{time:.1f} s" for time in times]
        epochs = median(figures["epochs"] for figures in rounds)
        epoch = median(figures["epoch"] for figures in rounds)
        cells.append([name, *shown, f"{epochs:.0f}", f"{epoch:.2f} s"])
    heads = ["", "to 98 % on the test images", "fastest", "slowest", "epochs", "an epoch, with start and scores"]
    text = "From the start of the process, another seed each round; both score the test images after each epoch."
    return section("SIGNS to 98 %: `configs/signs_fast.toml`", result, heads, cells) + f"\n\n{text}"


def streaming(result):
    rows = {name: middle(rounds) for name, rounds in result["figures"].items()}
    cells = [[name, f"{row['rate']:,.0f}", times(result, name, "in memory"), f"{row['memory']:,.0f} MB"]
             for name, row in rows.items()]
    heads = ["", "images/s", "of the rate in memory", "peak memory"]
    return section("M2 on 200,000 images, 2.4 GB", result, heads, cells)


def middle(rounds):
    """The median of each number over the rounds."""
    names = [name for name, value in rounds[0].items() if isinstance(value, (int, float))]
    return {name: median(figures[name] for figures in rounds if figures[name] is not None) for name in names
            if any(figures[name] is not None for figures in rounds)}


def section(title, result, heads, cells):
    rounds = max(map(len, result["figures"].values()))
    rows = [heads, ["---"] + ["---:"] * (len(heads) - 1), *cells]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"## {title}\n\n{result['date']}, {rounds} rounds.\n\n{table}"


# Machine


def machine():
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    facts = [f"{processor()}, {os.cpu_count()} cores", f"{memory:.0f} GiB", system(), f"Python {platform.python_version()}"]
    return ", ".join(facts + versions()) + "."


def processor():
    names = [line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def system():
    release = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return f"{release}, kernel {platform.release()}"


def versions():
    ours = subprocess.run([os.environ["TRAINER"], "--version"], capture_output=True, text=True).stdout.strip()
    names = {"PyTorch": "torch", "JAX": "jax", "Keras": "keras", "TensorFlow": "tensorflow-cpu"}
    known = {package.metadata["Name"].replace("_", "-") for package in importlib.metadata.distributions()}
    return [ours] + [f"{name} {importlib.metadata.version(at)}" for name, at in names.items() if at in known]
