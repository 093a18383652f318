"""Compares what pages in headless Chromium show with what the trainer predicts, and checks that they are accessible,
ask no other origin for anything and keep to a strict policy: pages.py TRAINER ONNXRUNTIME AXE"""

import base64
import functools
import http.server
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import photos
from chromium import Page

TRAINER, RUNTIME, AXE = sys.argv[1:]
CONFIGS = Path(__file__).parents[2] / "configs"
# Largest difference of a probability, where decoders agree on the pixels and where they do not.
EXACT, DECODED = 1e-4, 0.02
POLICY = ("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob:; "
          "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
RESULTS = """[...document.querySelectorAll('#results li')].map((item) => [item.querySelector('h2').textContent,
    Object.fromEntries([...item.querySelectorAll('tbody tr')].map((row) =>
        [row.querySelector('th').textContent, Number(row.querySelector('data').value)]))])"""
DONE = "document.querySelectorAll('#results table:not([hidden]), #results .failed').length"

SHORT = ["schedule.warmup_epochs=0", "training.batch_size=16", "training.final_fit=false"]
FOLDER = """name = "{name}"
[dataset.folder]
directory = "hands_png"
{folder}
[split]
validation_fraction = 0.2
[model.cnn]
[optimizer.adam]
learning_rate = 1e-3
[training]
epochs = 3
batch_size = 16
"""
FOLDERS = {
    "stretch": 'size = 64',
    "crop": 'size = [40, 56]\nfit = "crop"',
    "pad": 'size = [64, 48]\nfit = "pad"\ngrey = true',
}


def trainer(*arguments):
    result = subprocess.run([TRAINER, *map(str, arguments)], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"trainer {' '.join(map(str, arguments))}\n{result.stdout}{result.stderr}")
    return result.stdout


def train():
    """Trains the models, and returns the images of SIGNS, or synthetic ones."""
    trainer("data", "synthesize", "--out", "hands", "--train", 96, "--test", 24)
    if "SIGNS_DIR" not in os.environ:
        print("NOT RUN: pages with the images of SIGNS, which are not in ../shared/data; synthetic ones are used")
        os.environ["SIGNS_DIR"] = "hands"
    trainer("data", "export", "hands/train_signs.h5", "--out", "hands_png")
    trainer("data", "export", CONFIGS / "signs_fast.toml", "--out", "signs_png")
    settings = [word for setting in SHORT for word in ("--set", setting)]
    trainer("train", CONFIGS / "signs_fast.toml", "--set", "name=signs", "--set", "training.epochs=3", *settings, "--ui", "none")
    for name, folder in FOLDERS.items():
        Path(f"{name}.toml").write_text(FOLDER.format(name=name, folder=folder))
        trainer("train", f"{name}.toml", "--ui", "none")
    trainer("train", CONFIGS / "course1/planar_4.toml", "--set", "name=points", "--set", "training.epochs=200",
            "--set", "training.report_every_epochs=100", "--ui", "none")
    return sorted(Path("signs_png/test").rglob("*.png"))


def predicted(name, arguments):
    answer = json.loads(trainer("predict", name, *arguments, "--json"))
    return [{one["class"]: one["probability"] for one in prediction["probabilities"]} for prediction in answer["predictions"]]


class Folder(http.server.SimpleHTTPRequestHandler):
    """Serves a folder under a policy as strict as a page can have."""

    def end_headers(self):
        self.send_header("Content-Security-Policy", POLICY)
        super().end_headers()

    def log_message(self, *_):
        pass


def serve(folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Folder, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


def results(page, paths):
    """What the page shows for files."""
    page.evaluate("document.getElementById('results').replaceChildren()")
    page.choose_files("#files", [path.resolve() for path in paths])
    page.wait(f"{DONE} === {len(paths)}")
    shown = page.evaluate(RESULTS)
    if [name for name, _ in shown] != [path.name for path in paths]:
        sys.exit(f"the page shows {shown}")
    return [probabilities for _, probabilities in shown]


def compare(title, paths, shown, expected, tolerance):
    differences = [max(abs(one[label] - other.get(label, 2)) for label in one) for one, other in zip(expected, shown)]
    if max(max(one.values()) for one in expected) - min(max(one.values()) for one in expected) < 100 * EXACT:
        sys.exit(f"{title}: the predictions hardly depend on the inputs")
    worst = max(range(len(paths)), key=differences.__getitem__)
    print(f"{title}: {len(paths)} inputs, largest difference {differences[worst]:.1e} ({paths[worst]})", flush=True)
    if differences[worst] > tolerance:
        sys.exit("\n".join(f"{path}: {difference:.1e}" for path, difference in zip(paths, differences)))


def check_images(page, title, name, images):
    for paths, tolerance in images:
        compare(title, paths, results(page, paths), predicted(name, paths), tolerance)


def check_quiet(page, url, title):
    outside = [request for request in page.requests() if not request.startswith(url)]
    if outside or page.complaints():
        sys.exit(f"{title}: requests to {outside}; complaints: {page.complaints()}")


def check_accessible(page, title):
    page.evaluate(Path(AXE).read_text())
    for width in (390, 1440):
        for scheme in ("light", "dark"):
            page.resize(width, scheme)
            found = page.evaluate("axe.run().then(({ violations }) => violations)")
            serious = [f"{one['id']}: {one['help']}" for one in found if one["impact"] in ("moderate", "serious", "critical")]
            too_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
            if serious or too_wide:
                sys.exit(f"{title} at {width} px, {scheme}: {serious}, scrolls sideways: {too_wide}")
            if "SCREENSHOTS" in os.environ:
                page.screenshot(f"{os.environ['SCREENSHOTS']}/{title}-{width}-{scheme}.png")


def check_gestures(page, image):
    """Drop, paste, the camera and a file that is no image."""
    page.evaluate("document.getElementById('results').replaceChildren()")
    data = base64.b64encode(image.read_bytes()).decode()
    page.evaluate(f"""globalThis.transfer = new DataTransfer();
        transfer.items.add(new File([Uint8Array.from(atob("{data}"), (one) => one.charCodeAt(0))], "moved.png"));""")
    page.evaluate("document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true }))")
    page.evaluate("document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true }))")
    page.wait(f"{DONE} === 2")
    page.evaluate("document.getElementById('open-camera').click()")
    page.wait("document.querySelector('video').videoWidth > 0 && document.getElementById('camera').open")
    page.evaluate("document.querySelector('#camera button').click()")
    page.wait(f"{DONE} === 3 && !document.getElementById('camera').open")
    Path("broken.png").write_text("no image")
    page.choose_files("#files", [Path("broken.png").resolve()])
    page.wait("document.querySelectorAll('#results .failed').length === 1")
    names = [name for name, _ in page.evaluate(RESULTS)]
    if names != ["broken.png", "Photo", "moved.png", "moved.png"]:
        sys.exit(f"the page shows {names}")
    page.wait("document.getElementById('status').textContent.startsWith('broken.png: Cannot be classified')")


def check_points(page, title, name):
    points = ["1.5,-0.5", "-2,3.25"]
    for point in points:
        page.evaluate(f"""document.querySelectorAll("#numbers input").forEach((field, index) => {{
            field.value = {point!r}.split(",")[index];
        }})""")
        page.evaluate("document.querySelector('#features button').click()")
    page.wait(f"{DONE} === {len(points)}")
    shown = [probabilities for _, probabilities in page.evaluate(RESULTS)][::-1]
    expected = predicted(name, [f"--features={point}" for point in points])
    compare(title, points, shown, expected, EXACT)


def check_export(name, images=None, gestures=False):
    title = f"exported {name}"
    folder = f"{name}-web"
    trainer("export", name, "--to", "web", "--runtime", RUNTIME)
    url = serve(folder)
    with Page() as page:
        page.open(url)
        page.wait("document.getElementById('status').textContent === 'Ready'")
        check_images(page, title, name, images) if images else check_points(page, title, name)
        if gestures:
            check_gestures(page, images[0][0][0])
        check_accessible(page, title)
        check_quiet(page, url, title)


def check_server(images):
    names = ["signs", *FOLDERS, "points"]
    server = subprocess.Popen([TRAINER, "serve", *names, "--bind", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    url = re.search(r"http://\S+", server.stdout.readline())[0] + "/"
    try:
        with Page() as page:
            page.open(url)
            page.wait("document.getElementById('status').textContent === 'Ready'")
            for name in names:
                page.evaluate(f"""document.getElementById("models").value = "{name}";
                    document.getElementById("models").dispatchEvent(new Event("change"));""")
                if name == "points":
                    check_points(page, "served points", name)
                else:
                    exact = [(paths, EXACT) for paths, _ in images[name]]
                    check_images(page, f"served {name}", name, exact)
            check_accessible(page, "served points")
            check_quiet(page, url, "served page")
    finally:
        server.terminate()
        server.wait()


def last_rows(name):
    return [json.loads(line) for line in Path("runs", name, "metrics.jsonl").read_text().splitlines()]


def check_hover(page, title, name):
    """The values under the cursor and under the arrow keys are those of the metrics file."""
    rows = last_rows(name)
    for row, move in [
        (rows[0], """const box = plot.querySelector(".u-over").getBoundingClientRect();
            for (const kind of ["mouseenter", "mousemove"]) plot.querySelector(".u-over").dispatchEvent(new MouseEvent(kind,
                { clientX: box.left + 1, clientY: box.top + 20, bubbles: true }))"""),
        (rows[-1], """const host = plot.querySelector("[role=img]"); host.focus();
            for (let step = 0; step < 999; step++) host.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }))"""),
    ]:
        page.evaluate(f"""{{ const plot = [...document.querySelectorAll("figure.chart")].find((figure) =>
            figure.querySelector(".chart-head b").textContent === "Learning rate"); {move} }}""")
        page.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))")
        shown = page.evaluate("""[...document.querySelectorAll("figure.chart")].map((figure) =>
            [...figure.querySelectorAll(".legend > *")].map(({ textContent }) => textContent))""")
        values = {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for legend in shown for line in legend[1:]}
        for line, key, scale in [("Learning rate", "learning_rate", 1), ("Gradient norm", "gradient_norm", 1)]:
            if abs(values[line] - scale * row[key]) > 1e-3 * abs(scale * row[key]):
                sys.exit(f"{title}: the cursor at epoch {row['epoch']} shows {line} {values[line]}, not {row[key]}")


def check_cell(page, title, name):
    """A cell of the confusion matrix opens the pictures of its examples."""
    examples = json.loads(Path("runs", name, "test_predictions.json").read_text())["examples"]
    pair = (examples[0]["label"], examples[0]["top"][0][0])
    cell = f""".confusion-matrix td[data-pair='{pair[0]},{pair[1]}'] button"""
    page.evaluate(f"document.querySelector({cell!r}).click()")
    kept = [one for one in examples if (one["label"], one["top"][0][0]) == pair]
    shown = page.evaluate("[...document.querySelectorAll('dialog[open] img:first-child')].map(({ src, naturalWidth }) => [src, naturalWidth])")
    if [src for src, width in shown if width] != [one["picture"] for one in kept]:
        sys.exit(f"{title}: {len(shown)} pictures of {len(kept)} kept examples")
    page.evaluate("document.querySelector('dialog button').click()")
    page.wait("!document.querySelector('dialog')")


def check_filter(page, title):
    page.evaluate("""{ const box = document.querySelector(".examples .controls");
        box.querySelector("[type=checkbox]").checked = true; box.dispatchEvent(new Event("input")) }""")
    pairs = page.evaluate("[...document.querySelectorAll('.examples > div:not([hidden]) .card')].map((card) => card.dataset.pair)")
    count = page.evaluate("""[...document.querySelectorAll(".examples > div:not(.found) .card")]
        .filter(({ dataset }) => new Set(dataset.pair.split(",")).size === 2).length""")
    if len(pairs) != count or any(len(set(pair.split(","))) == 1 for pair in pairs):
        sys.exit(f"{title}: the filter shows {pairs}, of {count} mistakes")


def check_sorting(page, title, table):
    """A press of a heading sorts the numbers of its column, another one the other way."""
    for sign in (-1, 1):
        page.evaluate(f"document.querySelector({table!r} + ' th:nth-child(2) button').click()")
        cells = page.evaluate(f"[...document.querySelectorAll({table!r} + ' tbody td:nth-child(2)')].map((cell) => parseFloat(cell.textContent))")
        if cells != sorted(cells, key=lambda cell: sign * cell):
            sys.exit(f"{title}: sorted as {cells}")


def open_file(page, path):
    page.open(Path(path).resolve().as_uri())


def check_report(name, largest):
    title = f"report of {name}"
    path = Path("runs", name, "report.html")
    with Page() as page:
        open_file(page, path)
        check_hover(page, title, name)
        check_filter(page, title)
        if page.evaluate("document.querySelector('.confusion') !== null"):
            check_cell(page, title, name)
        check_sorting(page, title, "[id$=scores] details:last-of-type table")
        check_accessible(page, title)
        check_quiet(page, path.resolve().as_uri(), title)
    if path.stat().st_size > largest:
        sys.exit(f"{title}: {path.stat().st_size} bytes")
    print(f"{title}: {path.stat().st_size / 1e6:.2f} MB", flush=True)


def check_comparison():
    path = Path(trainer("report", "signs", "signs-2", "signs-3").strip())
    with Page() as page:
        open_file(page, path)
        lines = page.evaluate("document.querySelectorAll('figure.chart .legend button').length")
        if lines != 3 * page.evaluate("document.querySelectorAll('figure.chart').length"):
            sys.exit(f"the comparison has {lines} curves")
    page_of("comparison", path, "#scores table")


def check_sweep():
    Path("sweep.toml").write_text("""config = "pad.toml"
[grid]
"optimizer.adam.learning_rate" = [1e-3, 1e-5]
"training.batch_size" = [8, 16]
""")
    trainer("sweep", "sweep.toml", "--jobs", 2)
    page_of("sweep", Path("runs/sweep-pad/report.html"), "#settings table")


def check_inspection():
    # It fails if it finds problems.
    subprocess.run([TRAINER, "data", "inspect", "hands/train_signs.h5", "--out", "seen"], capture_output=True)
    page_of("inspection", Path("seen/inspection.html"), "#values table")


def page_of(title, path, table):
    with Page() as page:
        open_file(page, path)
        check_sorting(page, title, table)
        check_accessible(page, title)
        check_quiet(page, path.resolve().as_uri(), title)


def check_without_scripts():
    """The page can be read without JavaScript: pictures of the charts, tables, examples."""
    with Page() as page:
        page.call("Emulation.setScriptExecutionDisabled", value=True)
        # Without timers, so that `open` cannot wait.
        page.call("Page.navigate", url=Path("runs/signs/report.html").resolve().as_uri())
        while page.evaluate("document.readyState + location.protocol") != "completefile:":
            time.sleep(0.05)
        shown = page.evaluate("[document.querySelectorAll('figure.chart svg').length, document.querySelectorAll('.confusion td').length]")
        if min(shown) < 5:
            sys.exit(f"without JavaScript: {shown}")


def train_many_classes():
    """A run with 1,000 classes of tiny images."""
    for index in range(1000):
        folder = Path("many", f"class {index:03}")
        folder.mkdir(parents=True)
        for copy in range(4):
            photos.scene(1000 * copy + index, 16, 16).save(folder / f"{copy}.png")
    Path("many.toml").write_text(FOLDER.format(name="many", folder="size = 16").replace("hands_png", "many").replace("epochs = 3", "epochs = 2"))
    trainer("train", "many.toml", "--ui", "none")


def check_runs():
    """The page of all runs follows a training to its end."""
    os.mkdir("followed")
    server = subprocess.Popen([TRAINER, "runs", "serve", "--runs", "followed", "--bind", "127.0.0.1:0"],
                              stdout=subprocess.PIPE, text=True)
    url = re.search(r"http://\S+", server.stdout.readline())[0] + "/"
    arguments = ["train", "live.toml", "--runs", "followed", "--ui", "none"]
    row = "document.querySelector('[data-run=live]')"
    done = f"Number({row}.querySelector('progress')?.value ?? 0)"
    try:
        with Page() as page:
            page.open(url)
            page.wait("!document.querySelector('.none').hidden")
            Path("live.toml").write_text(FOLDER.format(name="live", folder="size = 32").replace("epochs = 3", "epochs = 60"))
            training = subprocess.Popen([TRAINER, *arguments])
            page.wait(f"{row}?.dataset.state === 'running'")
            page.wait(f"{done} > 0")
            before = page.evaluate(done)
            page.wait(f"{done} > {before}")
            if training.wait():
                sys.exit("the training that the page of runs follows has failed")
            page.wait(f"{row}.dataset.state === 'finished'")
            last = json.loads(Path("followed/live/metrics.jsonl").read_text().splitlines()[-1])
            page.wait("document.querySelector('figure.chart').chart.table[0].at(-1) === 60")
            shown = page.evaluate("[...document.querySelectorAll('figure.chart')].map(({ chart }) => chart?.table[1].at(-1))")
            expected = [last["train_loss"], last["validation_loss"], 100 * last["validation_accuracy"], last["learning_rate"]]
            if any(abs(one - other) > 1e-9 for one, other in zip(shown, expected, strict=False)):
                sys.exit(f"the page of runs shows {shown}, the metrics are {last}")
            trainer("train", "live.toml", "--set", "name=second", "--set", "training.epochs=2", "--runs", "followed", "--ui", "none")
            page.wait("document.querySelector('[data-run=second]')?.dataset.state === 'finished'")
            page.evaluate("""document.querySelectorAll('tbody input').forEach((box) => {
                box.click();
                if (!box.checked) box.click();
            })""")
            page.wait("document.querySelector('.command code').textContent.split(' followed/').length === 3")
            address = page.evaluate("location.href")
            page.open("about:blank")
            page.open(address)
            page.wait("document.querySelectorAll('tbody input:checked').length === 2 && "
                      "document.querySelector('figure.chart').chart?.data.lines.length === 2")
            check_accessible(page, "runs")
            check_quiet(page, url, "page of runs")
            page.open(page.evaluate(f"{row}.querySelector('a').href"))
            page.wait("document.querySelector('h1').textContent === 'live'")
            check_quiet(page, url, "report in the page of runs")
    finally:
        server.terminate()
        server.wait()


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        signs = train()
        exact, others = photos.write("photos")
        images = {name: [(exact, EXACT), (others, DECODED)] for name in FOLDERS}
        images["signs"] = [(signs, EXACT)]
        check_export("signs", images["signs"], gestures=True)
        for name in FOLDERS:
            check_export(name, images[name])
        check_export("points")
        for seed in (2, 3):
            trainer("train", "runs/signs/config.toml", "--set", f"seed={seed}", "--ui", "none")
        check_report("signs", 1_500_000)
        check_without_scripts()
        check_comparison()
        check_sweep()
        check_inspection()
        train_many_classes()
        check_report("many", 5_000_000)
        if subprocess.run([TRAINER, "serve", "--help"], capture_output=True).returncode == 0:
            check_server(images)
            check_runs()
        else:
            print("NOT RUN: the pages of `trainer serve` and `trainer runs serve`, which this program does not have")


if __name__ == "__main__":
    main()
