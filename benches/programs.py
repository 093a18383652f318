"""Runs the trainer and its peers, one process a measurement."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).parent
THREADS = min(2, len(os.sched_getaffinity(0)))
PEERS = {"PyTorch": ("pytorch.py", "torch"), "JAX": ("jax_.py", "jax"), "Keras": ("keras_.py", "tensorflow")}


class Process:
    """A program that has run: `lines` with the seconds from its start, peak `memory` in MB, `seconds`. It is
    stopped at the first line for which `until` is true."""

    def __init__(self, command, until=None, **environment):
        environment = os.environ | threads() | {name: str(value) for name, value in environment.items()}
        self.started, self.lines = time.time(), []
        with tempfile.TemporaryFile("w+") as errors:
            child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)
            for line in child.stdout:
                self.lines.append((time.time() - self.started, line))
                if until and until(line):
                    child.terminate()
                    break
            _, status, usage = os.wait4(child.pid, 0)
            self.seconds, self.memory = time.time() - self.started, usage.ru_maxrss * 1024 / 1e6
            child.returncode = os.waitstatus_to_exitcode(status)
            if child.returncode != 0 and not (until and until(self.lines[-1][1])):
                errors.seek(0)
                raise SystemExit(f"{' '.join(map(str, command))}\nfailed:\n{errors.read()[-3000:]}")


def threads():
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")
    return dict.fromkeys(names, str(THREADS))


def pin():
    """Leaves THREADS cores to everything that is started from here, for libraries that ask for no number."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])


def train(config, run_dir, data, *settings, until=None):
    """A run of the trainer, with its directory."""
    shutil.rmtree(run_dir, ignore_errors=True)
    command = [os.environ["TRAINER"], "--config", config, "--run-dir", run_dir, "--ui", "plain"]
    for setting in settings:
        command += ["--set", setting]
    return Process(command, until, BENCH_DATA=data, SIGNS_DIR=data)


def logged(process, run_dir, pattern):
    """Seconds from the start of the process to each line of its log that matches, and the match."""
    for line in (run_dir / "run.log").read_text().splitlines():
        if match := re.search(pattern, line):
            moment = datetime.strptime(line.split("Z ")[0], "%Y-%m-%dT%H:%M:%S.%f")
            yield moment.replace(tzinfo=timezone.utc).timestamp() - process.started, match


def peer(name, variant, config, data, steps, seconds, **environment):
    """One measurement of a peer: images a second (if `seconds` is not 0), seconds to the first step, MB."""
    command = [sys.executable, HERE / "python" / PEERS[name][0], config, variant]
    command += ["--steps", str(steps), "--seconds", str(seconds)]
    process = Process(command, BENCH_DATA=data, **environment)
    told = json.loads(process.lines[-1][1])
    figures = {"first step": told["first_step_at"] - process.started, "memory": process.memory}
    return figures | ({"rate": told["images_per_second"]} if seconds else {})


def installed():
    """The peers that can be measured."""
    return [name for name, (_, module) in PEERS.items() if importlib.util.find_spec(module)]
