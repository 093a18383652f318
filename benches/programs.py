"""Runs the trainer and the other frameworks, one process per measurement."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
THREADS = min(2, len(os.sched_getaffinity(0)))
FRAMEWORKS = {"PyTorch": ("pytorch.py", "torch"), "JAX": ("jax_.py", "jax"), "Keras": ("keras_.py", "tensorflow")}


class Process:
    """A program that has run: time when it was `started`, the `last_line` that it printed, its peak `memory` in MB
    and its run time in `seconds`. It is stopped at the first line for which `until(line, seconds from the start)`
    is true."""

    def __init__(self, command, until=None, **environment):
        environment = os.environ | threads() | {name: str(value) for name, value in environment.items()}
        self.started, self.last_line, is_stopped = time.time(), None, False
        with tempfile.TemporaryFile("w+") as errors:
            child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
            for line in child.stdout:
                self.last_line = line
                if until and until(line, time.time() - self.started):
                    is_stopped = True
                    child.terminate()
                    break
            _, status, usage = os.wait4(child.pid, 0)
            self.seconds, self.memory = time.time() - self.started, usage.ru_maxrss * 1024 / 1e6
            child.returncode = os.waitstatus_to_exitcode(status)
            if child.returncode != 0 and not is_stopped:
                errors.seek(0)
                raise SystemExit(f"{' '.join(map(str, command))}\nfailed:\n{errors.read()[-3000:]}")


def threads():
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
    return dict.fromkeys(names, str(THREADS))


def pin():
    """Restricts all child processes to THREADS cores, for libraries that ignore the number of threads."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])


def train(config, run_dir, data, *settings, until=None, **environment):
    """Trains in an empty run directory."""
    shutil.rmtree(run_dir, ignore_errors=True)
    command = [os.environ["TRAINER"], "--config", config, "--run-dir", run_dir, "--ui", "plain"]
    for setting in settings:
        command += ["--set", setting]
    return Process(command, until, BENCH_DATA=data, SIGNS_DIR=data, **environment)


def framework(name, variant, config, data, steps, seconds, **environment):
    """One measurement of a framework: images per second (if `seconds` is not 0), seconds to the first step, MB."""
    command = [sys.executable, HERE / "python" / FRAMEWORKS[name][0], config, variant]
    command += ["--steps", str(steps), "--seconds", str(seconds)]
    process = Process(command, BENCH_DATA=data, **environment)
    result = json.loads(process.last_line)
    figures = {"first step": result["first_step_at"] - process.started, "memory": process.memory}
    return figures | ({"rate": result["images_per_second"]} if seconds else {})


def installed():
    """The installed frameworks."""
    return [name for name, (_, module) in FRAMEWORKS.items() if importlib.util.find_spec(module)]
