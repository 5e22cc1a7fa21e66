"""Makes keys for an ONNX file with EZKL, or proves an input with them: what `bench:zkml -- --ezkl` runs.

`prove_by_ezkl.py keys|prove <folder> <model.onnx>`. The folder has `calibration.json` and `samples.json`, lists of inputs, each a
flat list of numbers; everything else in it is written here. Each step that ends is a line of JSON on standard output, and
so is the result. What EZKL prints goes to standard error.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import ezkl

# Linux counts in KiB, macOS in bytes.
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024
MEBIBYTE = 1024 * 1024
# Dimensions that are open in a file: the one that EZKL knows by default, and that of the benchmark's own files.
BATCH_DIMENSIONS = ("batch_size", "batch")

Result = TypeVar("Result")


class Files:
    """Where everything lies; EZKL takes paths as text."""

    def __init__(self, folder: Path) -> None:
        def path(name: str) -> str:
            return str(folder / name)

        self.calibration, self.samples = path("calibration.json"), path("samples.json")
        self.settings, self.circuit = path("settings.json"), path("circuit.bin")
        self.srs, self.proving_key, self.verifying_key = path("srs"), path("pk"), path("vk")
        self.data, self.witness, self.proof = path("data.json"), path("witness.json"), path("proof.json")


class Report:
    """Writes to the real standard output, whatever a library prints to it afterwards."""

    def __init__(self) -> None:
        self._stream = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)

    def line(self, fields: dict[str, object]) -> None:
        print(json.dumps(fields), file=self._stream, flush=True)

    def step(self, name: str, work: Callable[[], Result]) -> Result:
        """Does the work and reports how long it took."""
        started = time.perf_counter()
        result = work()
        self.line({"step": name, "seconds": round(time.perf_counter() - started, 3)})
        return result


def peak_mebibytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * PEAK_UNIT // MEBIBYTE


def read(path: str) -> Any:
    return json.loads(Path(path).read_text())


def write_data(path: str, inputs: list[list[float]]) -> None:
    """Samples behind one another, as EZKL reads several of a model with one input."""
    flat = [float(value) for sample in inputs for value in sample]
    Path(path).write_text(json.dumps({"input_data": [flat]}))


def make_keys(model: str, files: Files, report: Report) -> None:
    """Everything up to the proving key, by EZKL's defaults, calibrated for "resources"."""
    write_data(files.data, read(files.calibration))
    run_args = ezkl.PyRunArgs()
    run_args.variables = [(name, 1) for name in BATCH_DIMENSIONS]
    report.step(
        "settings",
        lambda: ezkl.gen_settings(model=model, output=files.settings, py_run_args=run_args),
    )
    report.step(
        "calibrate",
        lambda: ezkl.calibrate_settings(
            data=files.data, model=model, settings=files.settings, target="resources"
        ),
    )
    report.step(
        "compile",
        lambda: ezkl.compile_circuit(
            model=model, compiled_circuit=files.circuit, settings_path=files.settings
        ),
    )
    run = read(files.settings)["run_args"]
    # A development string: the public one has to be downloaded.
    report.step("srs", lambda: ezkl.gen_srs(files.srs, run["logrows"]))
    report.step(
        "setup",
        lambda: ezkl.setup(
            model=files.circuit,
            vk_path=files.verifying_key,
            pk_path=files.proving_key,
            srs_path=files.srs,
        ),
    )
    report.line(
        {
            "result": {
                "version": ezkl.__version__,
                "logrows": run["logrows"],
                "inputScale": run["input_scale"],
                "paramScale": run["param_scale"],
                "provingKeyBytes": os.path.getsize(files.proving_key),
                "verifyingKeyBytes": os.path.getsize(files.verifying_key),
                "peakMiB": peak_mebibytes(),
            }
        }
    )


def first_output(files: Files, sample: list[float], scale: int) -> list[float]:
    """What the circuit says of a sample, in real numbers."""
    write_data(files.data, [sample])
    witness = ezkl.gen_witness(data=files.data, model=files.circuit, output=files.witness)
    return [ezkl.felt_to_float(felt, scale) for felt in witness["outputs"][0]]


def prove(files: Files, report: Report) -> None:
    """Proves the first sample and verifies the proof; what the circuit says of all of them is in the result."""
    samples = read(files.samples)
    scale = read(files.settings)["model_output_scales"][0]
    rest = [first_output(files, sample, scale) for sample in samples[1:]]
    first = report.step("witness", lambda: first_output(files, samples[0], scale))
    report.step(
        "prove",
        lambda: ezkl.prove(
            witness=files.witness,
            model=files.circuit,
            pk_path=files.proving_key,
            proof_path=files.proof,
            srs_path=files.srs,
        ),
    )
    verified = report.step(
        "verify",
        lambda: ezkl.verify(
            proof_path=files.proof,
            settings_path=files.settings,
            vk_path=files.verifying_key,
            srs_path=files.srs,
        ),
    )
    if not verified:
        raise SystemExit("the proof does not verify")
    report.line(
        {
            "result": {
                "proofBytes": len(bytes.fromhex(read(files.proof)["hex_proof"].removeprefix("0x"))),
                "peakMiB": peak_mebibytes(),
                "outputs": [first, *rest],
            }
        }
    )


def main() -> None:
    verb, folder, model = sys.argv[1:]
    files, report = Files(Path(folder)), Report()
    if verb == "keys":
        make_keys(model, files, report)
    else:
        prove(files, report)


if __name__ == "__main__":
    main()
