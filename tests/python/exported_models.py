"""Trains small models of every kind, exports them, and compares what ONNX Runtime and PyTorch compute with
what the trainer predicts: exported_models.py TRAINER"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from PIL import Image

try:
    import torch
except ImportError:
    torch = None

TRAINER = sys.argv[1]
CONFIGS = Path(__file__).parents[2] / "configs"
# Largest difference of a probability.
TOLERANCE = 1e-5
BATCHES = (1, 7, 1000)

CALIBRATED = ["training.epochs=2", "training.final_fit=false", "schedule.warmup_epochs=0", "training.batch_size=16",
              "dataset.hdf5.directory=hands"]
SMALL = CALIBRATED + ["split.validation_fraction=0"]
POINTS = ["training.epochs=200", "training.report_every_epochs=100"]
NETWORKS = {
    "perceptron": ("signs.toml", SMALL),
    "perceptron_after": ("signs.toml", SMALL + ["model.mlp.batch_norm=after_activation", "model.mlp.activation=sigmoid",
                                                "evaluation.mirrored=true"]),
    "regression": ("signs.toml", SMALL + ["model.mlp.hidden=[]"]),
    "cats": ("course1/cat_logistic.toml", ["training.epochs=2", "training.report_every_epochs=1",
                                           "dataset.hdf5.directory=cats"]),
    "signs_fast": ("signs_fast.toml", CALIBRATED),
    "signs_cnn": ("signs_cnn.toml", SMALL),
    "cnn_average": ("signs_cnn.toml", SMALL + [
        'model.cnn={channels=[6,5],convolutions=2,kernel_size=5,activation="leaky_relu",negative_slope=0.2,'
        'pool="average",batch_norm=false,head="average",hidden=[7]}']),
    "cnn_odd": ("signs_cnn.toml", SMALL + [
        "dataset.hdf5.size=[33, 41]", 'model.cnn={channels=[6,5],activation="tanh",hidden=[7,6],dropout=0.3}',
        "evaluation.mirrored=false"]),
    "cnn_unpooled": ("signs_cnn.toml", SMALL + ["dataset.hdf5.size=12", 'model.cnn={channels=[4],pool="none",kernel_size=1}']),
    "resnet": ("signs_cnn.toml", SMALL + ["model={resnet={channels=[6,8],stochastic_depth=0.2}}"]),
    "resnet_pooled": ("signs_cnn.toml", SMALL + [
        "dataset.hdf5.size=[57, 40]",
        'model={resnet={channels=[4,6,8],blocks=[1,2,1],block="bottleneck",stem_reduction="pooled",dropout=0.2}}']),
    "resnet_strided": ("signs_cnn.toml", SMALL + [
        'model={resnet={channels=[6,8],stem=5,stem_reduction="strided",blocks=1}}']),
    "cnn_relu6": ("signs_cnn.toml", SMALL + ['model.cnn={channels=[6,5],activation="relu6",batch_norm=false,hidden=[]}']),
    "efficientnet_lite": ("signs_cnn.toml", SMALL + [
        "dataset.hdf5.size=[57, 40]", "model={efficientnet_lite={stochastic_depth=0.1}}"]),
    "points": ("course1/planar_4.toml", POINTS),
    "points_softmax": ("course1/planar_4.toml", POINTS + [
        "dataset.points.shape=blobs", "objective.head=softmax", "input.normalization=standardize"]),
}


def trainer(*arguments):
    result = subprocess.run([TRAINER, *arguments], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"trainer {' '.join(arguments)}\n{result.stdout}{result.stderr}")
    return result.stdout


def inputs(name, settings):
    """Inputs of a model, and the arguments of `trainer predict` for them."""
    random = np.random.default_rng(1)
    if "points" in name:
        points = random.normal(0, 2, (20, 2)).astype(np.float32)
        return points, [f"--features={','.join(str(value) for value in point)}" for point in points]
    size = next((setting.split("=")[1] for setting in settings if setting.startswith("dataset.hdf5.size=")), "64")
    sides = json.loads(size)
    height, width = sides if isinstance(sides, list) else (sides, sides)
    folder = Path(f"{name}_images")
    folder.mkdir()
    # Large patches of colour: noise looks alike to a model.
    patches = random.integers(0, 256, (20, 3, 3, 3), dtype=np.uint8)
    images = [Image.fromarray(patch).resize((width, height)) for patch in patches]
    paths = [str(folder / f"{number:02}.png") for number in range(len(images))]
    for path, image in zip(paths, images):
        image.save(path)
    return np.stack([np.asarray(image) for image in images]), paths


def predicted(name, arguments, classes):
    """Probabilities by the trainer, [inputs, classes]."""
    answer = json.loads(trainer("predict", name, *arguments, "--json"))
    rows = [{one["class"]: one["probability"] for one in prediction["probabilities"]} for prediction in answer["predictions"]]
    return np.array([[row[name] for name in classes] for row in rows])


def compare(name, program, results, expected):
    """The largest difference of the probabilities that `program` computes in batches of different sizes."""
    difference = max(np.abs(probabilities - expected).max() for probabilities in results)
    equal = all((probabilities.argmax(1) == expected.argmax(1)).all() for probabilities in results)
    if difference > TOLERANCE or not equal:
        sys.exit(f"{name}: probabilities of {program} differ by {difference:.1e}, classes are equal: {equal}")
    return f"{program} {difference:.1e}"


def by_onnx_runtime(name, data):
    """Class names, and probabilities for each size of a batch."""
    path = f"{name}.onnx"
    onnx.checker.check_model(path, full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    key = session.get_inputs()[0].name

    def run(size):
        starts = range(0, len(data), size)
        return np.concatenate([session.run(["probabilities"], {key: data[start:start + size]})[0] for start in starts])

    return json.loads(session.get_modelmeta().custom_metadata_map["classes"]), [run(size) for size in BATCHES]


def by_pytorch(name, data):
    spec = importlib.util.spec_from_file_location(name, f"{name}-pytorch/model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = module.load(f"{name}-pytorch/model.safetensors")
    with torch.no_grad():
        return model.probabilities(torch.from_numpy(data)).numpy()


def check(name, config, settings):
    arguments = [argument for setting in settings for argument in ("--set", setting)]
    trainer("train", str(CONFIGS / config), "--set", f"name={name}", *arguments, "--ui", "none")
    trainer("export", name, "--to", "onnx")
    trainer("export", name, "--to", "onnx", "--out", "again.onnx")
    if Path(f"{name}.onnx").read_bytes() != Path("again.onnx").read_bytes():
        sys.exit(f"{name}: two exports differ")
    Path("again.onnx").unlink()
    trainer("export", name, "--to", "safetensors")
    data, names = inputs(name, settings)
    classes, probabilities = by_onnx_runtime(name, data)
    expected = predicted(name, names, classes)
    if np.ptp(expected, axis=0).max() < 1000 * TOLERANCE:
        sys.exit(f"{name}: the predictions hardly depend on the inputs")
    results = [compare(name, "ONNX Runtime", probabilities, expected)]
    if torch:
        results.append(compare(name, "PyTorch", [by_pytorch(name, data)], expected))
    print(f"{name}: {', '.join(results)}", flush=True)


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for subject in ("hands", "cats"):
            trainer("data", "synthesize", "--subject", subject, "--out", subject, "--train", "96", "--test", "24")
        for name, (config, own) in NETWORKS.items():
            check(name, config, own)
    if not torch:
        print("NOT RUN: exported models in PyTorch, which is not installed")


if __name__ == "__main__":
    main()
