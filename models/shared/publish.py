"""What the training scripts have in common: the files that they publish, and their command line."""

import argparse
import json
import sys

import numpy as np
import onnx


def accuracy(predicted, labels):
    return round(float(np.mean(predicted == labels)), 4)


def samples_text(description, inputs, results, name="labels"):
    """calibration.json or test.json, one input per line; the name of the inputs is what all models here have.

    name: what the results are: `labels` are classes, `targets` numbers
    """
    rows = ",\n".join("    " + json.dumps(row, separators=(",", ":")) for row in inputs.tolist())
    return (
        f'{{\n  "description": {json.dumps(description)},\n  "images": [\n{rows}\n  ],\n'
        f'  "{name}": {json.dumps(results.tolist(), separators=(",", ":"))}\n}}\n'
    )


def metrics_text(metrics):
    """metrics.json of a classifier, with the confusion matrix one row per line."""
    rows = metrics["testConfusion"]["matrix"]
    marker = "@matrix"
    outline = {**metrics, "testConfusion": {**metrics["testConfusion"], "matrix": marker}}
    lines = ",\n".join("      " + json.dumps(row) for row in rows)
    return json.dumps(outline, indent=2).replace(f'"{marker}"', f"[\n{lines}\n    ]") + "\n"


def run(subject, model, load_splits, make, derived_files, select):
    """The command line of a training script.

    subject: what is trained, for the help
    model: path of the ONNX file; the others lie beside it
    load_splits(): name -> (inputs, labels or targets)
    make(splits): bytes of the ONNX file, trained anew
    derived_files(model_bytes, splits): file name -> text, of all that follows from the data and the ONNX file
    select(splits): prints the table behind what was chosen
    """
    parser = argparse.ArgumentParser(description=f"Train, check or select the {subject} model.")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="verify the committed files; change nothing")
    mode.add_argument("--select", action="store_true", help="print the cross-validation table")
    arguments = parser.parse_args()
    splits = load_splits()
    if arguments.check:
        _check(model, derived_files, splits)
    elif arguments.select:
        select(splits)
    else:
        _write(model, make(splits), derived_files, splits)


def _write(model, model_bytes, derived_files, splits):
    model.write_bytes(model_bytes)
    for name, text in derived_files(model_bytes, splits).items():
        (model.parent / name).write_text(text, encoding="utf-8", newline="\n")
    print((model.parent / "metrics.json").read_text(encoding="utf-8"), end="")


def _check(model, derived_files, splits):
    model_bytes = model.read_bytes()
    onnx.checker.check_model(onnx.load_from_string(model_bytes), full_check=True)
    expected = derived_files(model_bytes, splits)
    differing = [name for name, text in expected.items() if (model.parent / name).read_bytes() != text.encode()]
    if differing:
        sys.exit(f"differs from what the data and {model.name} give: {', '.join(differing)}")
    print(f"{', '.join(expected)}: as the data and {model.name} give them")
