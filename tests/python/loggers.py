"""Logs a run to MLflow and, offline, to Weights & Biases while it trains, stops, resumes and after its end, and
compares what their own readers find with the files of the run: loggers.py TRAINER"""

import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import mlflow

TRAINER = sys.argv[1]
ROOT = Path(__file__).parents[2]
RUN = Path("runs/points")
LOGGERS = ("wandb", "mlflow")
TRAIN = ["train", ROOT / "configs/course1/planar_4.toml", "--set", "name=points", "--epochs", 10**7,
         "--set", "training.report_every_epochs=2000", "--ui", "none"]


def start(*command):
    return subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL)


def log(*options):
    return [start(sys.executable, ROOT / "scripts/log_run.py", logger, RUN, *options) for logger in LOGGERS]


def wait(processes):
    if any([process.wait() for process in processes]):
        sys.exit("a logger failed")


def wandb_records():
    """The records of all calls, in order."""
    inspect = [sys.executable, "-m", "wandb", "leet", "inspect", "--json"]
    folders = sorted(Path("wandb").glob("offline-run-*"))
    texts = [subprocess.run([*inspect, folder], capture_output=True, text=True).stdout for folder in folders]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def wandb_rows(records):
    items = [record["history"]["item"] for record in records if record["type"] == "history"]
    return [(item["_step"], key, value) for item in items for key, value in item.items() if not key.startswith("_")]


def mlflow_run():
    runs = mlflow.search_runs(output_format="list")
    if len(runs) > 1:
        sys.exit(f"MLflow has {len(runs)} runs instead of one")
    return runs[0] if runs else None


def mlflow_rows():
    run, client = mlflow_run(), mlflow.MlflowClient()
    metrics = [client.get_metric_history(run.info.run_id, key) for key in run.data.metrics] if run else []
    return [(metric.step, metric.key, metric.value) for history in metrics for metric in history]


def rows_of_run():
    """What must have been logged: each number of each complete line."""
    timings = [json.loads(line) for line in (RUN / "timings.jsonl").read_text().splitlines()]
    rows = [(one["epoch"], "examples_per_second", one["examples"] / one["seconds"]) for one in timings]
    reported = [json.loads(line) for line in (RUN / "metrics.jsonl").read_text().split("\n")[:-1]]
    items = [(row["epoch"], key, value) for row in reported for key, value in row.items()]
    rows += [item for item in items if isinstance(item[2], (int, float))]
    epochs = {row["epoch"] for row in reported}
    return [row for row in rows if row[0] in epochs]


def require(title, found, expected):
    if found != expected:
        sys.exit(f"{title}: {found} instead of {expected}")


def check_rows(title, records):
    expected = sorted(rows_of_run())
    scores = [row for row in mlflow_rows() if "/" in row[1]]
    require("scores that MLflow has twice", len(scores), len({key for _, key, _ in scores}))
    for logger, rows in (("W&B", wandb_rows(records)), ("MLflow", mlflow_rows())):
        require(f"{title}, rows in {logger}", sorted(row for row in rows if "/" not in row[1]), expected)
    print(f"{title}: {len(expected)} values equal in W&B and MLflow", flush=True)


def check_results(records):
    """Parameters, tags, scores and files of the finished run."""
    run = mlflow_run()
    config, environment = (RUN / "config.toml").read_bytes(), json.loads((RUN / "environment.json").read_text())
    accuracy = json.loads((RUN / "evaluation-test.json").read_text())["accuracy"]
    logged = [record["run"] for record in records if record["type"] == "run"]
    require("id in W&B", {one["run_id"] for one in logged}, {environment["sha256"][:32]})
    require("config in W&B", logged[-1]["config"]["update"]["optimizer"]["sgd"]["learning_rate"], 1.2)
    require("environment in W&B", logged[-1]["config"]["update"]["environment"], environment)
    summaries = [record["summary"].get("update", {}) for record in records if record["type"] == "summary"]
    require("score in W&B", [one["test/accuracy"] for one in summaries if "test/accuracy" in one][-1], accuracy)
    artifact = [record["artifact"]["manifest"]["contents"] for record in records if record["type"] == "artifact"][-1]
    digests = {file["path"]: file["digest"] for file in artifact}
    require("config.toml in W&B", digests["config.toml"], base64.b64encode(hashlib.md5(config).digest()).decode())
    require("exit in W&B", records[-1]["exit"]["exit_code"], 0)

    require("state in MLflow", run.info.status, "FINISHED")
    require("parameter in MLflow", run.data.params["optimizer.sgd.learning_rate"], "1.2")
    require("seed in MLflow", run.data.tags["seed"], str(environment["seed"]))
    require("data in MLflow", run.data.tags["data.sha256.train"], environment["data"]["sha256"]["train"])
    require("score in MLflow", run.data.metrics["test/accuracy"], accuracy)
    files = Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, dst_path="files"))
    require("config.toml in MLflow", (files / "config.toml").read_bytes(), config)
    for name in ("report.html", "curves.svg"):
        require(f"{name} in MLflow", (files / name).read_bytes(), (RUN / name).read_bytes())
        require(f"{name} in W&B", name in digests, True)


def follow():
    """Logs a run while it trains, until it is stopped."""
    trainer, loggers = start(TRAINER, *TRAIN), log("--follow")
    try:
        while len(mlflow_rows()) < 20 or len(wandb_rows(wandb_records())) < 20:
            if any(process.poll() is not None for process in (trainer, *loggers)):
                sys.exit("the trainer or a logger ended early")
            time.sleep(0.5)
        trainer.send_signal(signal.SIGINT)
        trainer.wait()
        wait(loggers)
    finally:
        for process in (trainer, *loggers):
            process.kill()
    require("state of a stopped run in MLflow", mlflow_run().info.status, "KILLED")
    check_rows("followed", wandb_records())


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ |= {f"WANDB_{name}_DIR": folder for name in ("DATA", "CACHE", "CONFIG", "ARTIFACT")}
        os.environ |= {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "MLFLOW_DISABLE_TELEMETRY": "true",
                       "MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"}
        mlflow_run()  # creates the database
        follow()
        epochs = json.loads((RUN / "metrics.jsonl").read_text().splitlines()[-1])["epoch"] + 6000
        subprocess.run([TRAINER, "train", "--resume", RUN, "--epochs", str(epochs), "--ui", "none"], check=True)
        with open(RUN / "metrics.jsonl", "a") as metrics:  # another column, and a row that is being written
            metrics.write(f'{{"epoch":{epochs + 1},"validation_top_5":0.5,"step_losses":[1.0,2.0],"train_loss":null}}\n'
                          f'{{"epoch":{epochs + 2},"validation_to')
        wait(log())
        wait(log())
        records = wandb_records()
        check_rows("resumed, finished and logged twice", records)
        check_results(records)


if __name__ == "__main__":
    main()
