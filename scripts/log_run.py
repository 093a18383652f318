"""Logs a run of the trainer to Weights & Biases or MLflow: log_run.py wandb|mlflow RUN [--follow]

A second call goes on where the first ended; docs/loggers.md says what is logged under which name.
"""

import argparse
import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path

FILES = ("config.toml", "report.html", "evaluation-*.json", "*.svg", "*.png")


def read_rows(path):
    """The rows of a file of JSON lines but for those that are incomplete, such as one that is being written."""
    rows = []
    for line in path.read_bytes().splitlines() if path.exists() else []:
        with contextlib.suppress(ValueError):
            rows.append(json.loads(line))
    return rows


def read_json(path):
    return json.loads(path.read_text())


def flatten(table, prefix=""):
    """The values of nested tables, by keys with dots as in `trainer --set`."""
    values = {}
    for key, value in table.items():
        values |= flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return values


def numbers(values):
    return {key: value for key, value in values.items() if type(value) in (int, float)}


def is_training(run):
    """Whether a process has the lock of the run. As in the trainer, the directory is locked while the lock is tried."""
    directory = os.open(run, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        with open(run / "lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(directory)


def state(run):
    """running, finished, stopped, failed, or interrupted: by its status a killed run still runs."""
    if is_training(run):
        return "running"
    status = run / "status.json"
    recorded = read_json(status)["status"] if status.exists() else "running"
    return "interrupted" if recorded == "running" else recorded


def new_metrics(run, epoch, follow):
    """The metrics of each reported epoch after `epoch`; with `follow`, until no process trains the run, or Ctrl-C."""
    while True:
        goes_on = follow and is_training(run)
        rows = [row for row in read_rows(run / "metrics.jsonl") if row["epoch"] > epoch]
        # The time of an epoch is written before its metrics. If it was trained twice, the last time counts.
        timings = {timing["epoch"]: timing for timing in read_rows(run / "timings.jsonl")}
        for row in rows:
            epoch = row["epoch"]
            values = numbers(row)
            if seconds := timings.get(epoch, {}).get("seconds"):
                values["examples_per_second"] = timings[epoch]["examples"] / seconds
            yield epoch, values
        if not goes_on:
            return
        try:
            time.sleep(1)
        except KeyboardInterrupt:
            follow = False


def scores(run):
    """The numbers of the summary and of the evaluations, as `summary/seconds` or `test/accuracy`."""
    values = {}
    for path in [*run.glob("summary.json"), *run.glob("evaluation-*.json")]:
        values |= flatten({path.stem.removeprefix("evaluation-"): read_json(path)})
    return {key.replace(".", "/"): value for key, value in numbers(values).items()}


def files(run):
    return [path for pattern in FILES for path in sorted(run.glob(pattern))]


def last_offline_epoch(logged):
    """The last epoch that earlier calls have logged offline, where W&B knows only the files of each call."""
    epochs = [0]
    folder = Path(logged.sync_dir)
    for file in folder.parent.glob(f"offline-run-*-{logged.id}/*.wandb"):
        if file.parent == folder:
            continue
        inspect = [sys.executable, "-m", "wandb", "leet", "inspect", "--summary", "--json", file]
        epochs.append(json.loads(subprocess.check_output(inspect))["summary"].get("epoch", 0))
    return max(epochs)


def to_wandb(run, config, environment, follow):
    import wandb

    # Git, the console and the load of the machine would be those of this program.
    settings = wandb.Settings(console="off", disable_git=True, x_disable_stats=True, allow_val_change=True)
    logged = wandb.init(id=environment["sha256"][:32], name=str(run), resume="allow",
                        config={**config, "environment": environment}, settings=settings)
    epoch = last_offline_epoch(logged) if logged.offline else logged.summary.get("epoch", 0)
    for epoch, metrics in new_metrics(run, epoch, follow):
        logged.log(metrics, step=epoch)
    logged.summary.update(scores(run))
    artifact = wandb.Artifact(f"run-{logged.id}", type="run")
    for path in files(run):
        artifact.add_file(path)
    logged.log_artifact(artifact)
    logged.finish(exit_code=int(state(run) in ("failed", "interrupted")))


def to_mlflow(run, config, environment, follow):
    import mlflow

    found = mlflow.search_runs(filter_string=f"tags.sha256 = '{environment['sha256']}'", output_format="list")
    tags = {key: value for key, value in flatten(environment).items() if type(value) in (str, int, bool)}
    logged = mlflow.start_run(run_id=found[0].info.run_id if found else None, run_name=str(run), tags=tags).data
    # MLflow changes no parameter: that of the first call stays.
    mlflow.log_params({key: value for key, value in flatten(config).items() if key not in logged.params})
    epoch = logged.metrics.get("epoch", 0)
    for epoch, metrics in new_metrics(run, epoch, follow):
        mlflow.log_metrics(metrics, step=epoch)
    changed = {key: value for key, value in scores(run).items() if logged.metrics.get(key) != value}
    mlflow.log_metrics(changed, step=int(epoch))
    for path in files(run):
        mlflow.log_artifact(path)
    ends = {"running": "RUNNING", "finished": "FINISHED", "failed": "FAILED"}
    mlflow.end_run(ends.get(state(run), "KILLED"))


def main():
    parser = argparse.ArgumentParser(description="Logs a run of the trainer to Weights & Biases or MLflow.")
    parser.add_argument("logger", choices=["wandb", "mlflow"])
    parser.add_argument("run", type=Path, help="directory of the run, such as runs/signs")
    parser.add_argument("--follow", action="store_true", help="wait for the run to start, and log until it ends")
    arguments = parser.parse_args()
    run = arguments.run
    # Written before the run trains, and after environment.json.
    while not (run / "config.toml").exists():
        if not arguments.follow:
            sys.exit(f"{run} is not the directory of a run: it has no config.toml")
        time.sleep(1)
    config = tomllib.loads((run / "config.toml").read_text())
    environment = read_json(run / "environment.json")
    log = to_wandb if arguments.logger == "wandb" else to_mlflow
    log(run, config, environment, arguments.follow)


if __name__ == "__main__":
    main()
