import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FIELD_ORDER } from "@haca/circuits/field";
import { circuitInput } from "@haca/model-runtime/circuitInput";
import { hashFile, loadModel } from "@haca/model-runtime/loadModel";
import { quantiseInput } from "@haca/model-runtime/quantise";
import { runIntegerModel } from "@haca/model-runtime/runIntegerModel";
import { computeWitness } from "@haca/model-runtime/witness/computeWitness";
import { decodeWitnessPlan } from "@haca/model-runtime/witness/witnessPlan";
import { wtnsFile } from "@haca/model-runtime/witness/wtnsFile";
import { requireSoundVerifyingKey } from "@haca/protocol/verifyingKey";
import { groth16, zKey } from "snarkjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileModel } from "../src/compileModel.ts";
import { proveSample } from "../src/proveSample.ts";
import { developmentPtauPath, generatePtau } from "../src/setup/developmentPtau.ts";
import { importPtau } from "../src/setup/importPtau.ts";
import { readPtauRecord } from "../src/setup/ptauRecord.ts";
import { releaseCurve } from "../src/setup/snarkjsResources.ts";
import { multilayerPerceptron } from "./utils/onnxFile.ts";

const failure = (code: string) => expect.objectContaining({ code });

const root = mkdtempSync(join(tmpdir(), "haca-compile-"));
const out = join(root, "models", "small");
const ptauFolder = join(root, "ptau");
const parameters = {
  onnx: multilayerPerceptron({ inputs: 3, hidden: 2, classes: 2 }),
  name: "small",
  calibration: [
    [1, 2, 3],
    [0, 1, 0],
  ],
  test: { inputs: [[1, 2, 3]], labels: [0] },
  out,
  ptauFolder,
  prover: "none",
};
const lines: string[] = [];

beforeAll(async () => {
  await compileModel({ ...parameters, onProgress: (line) => lines.push(line) });
});
afterAll(async () => {
  await releaseCurve();
  rmSync(root, { recursive: true });
});

describe("compileModel", () => {
  it("reports its steps and leaves nothing but the model", () => {
    const steps = [
      "quantise",
      "write and certify circuit",
      "powers of tau",
      "set up keys",
      "prove and verify one sample (snarkjs)",
    ];
    for (const step of steps) {
      expect(lines.some((line) => line.startsWith(step))).toBe(true);
    }
    expect(readdirSync(join(root, "models"))).toEqual(["small"]);
    expect(readdirSync(ptauFolder).filter((name) => !name.startsWith("development"))).toEqual([]);
  });

  it("writes a model whose proofs verify, for these words and this context alone", async () => {
    const { folder, manifest, integerModel } = await loadModel({ folder: out });
    const input = quantiseInput({ manifest, values: [3, 0, 1] });
    const outputs = runIntegerModel({ integerModel, input });
    const context = 123456789n;
    const { signals, words } = circuitInput({ manifest, input, outputs, context });
    const file = (name: string) => join(folder, name);
    const plan = decodeWitnessPlan(readFileSync(file(manifest.files.plan)));
    const { proof, publicSignals } = await groth16.prove(file(manifest.files.zkey), {
      type: "mem",
      data: wtnsFile(computeWitness({ plan, signals })),
    });
    const key = JSON.parse(readFileSync(file(manifest.files.verificationKey), "utf8"));
    expect(publicSignals).toEqual([...words, context].map(String));
    expect(await groth16.verify(key, publicSignals, proof)).toBe(true);
    for (const [index, signal] of publicSignals.entries()) {
      for (const other of [BigInt(signal) + 1n, BigInt(signal) + FIELD_ORDER]) {
        const tampered = publicSignals.with(index, String(other));
        expect(await groth16.verify(key, tampered, proof), `${index}`).toBe(false);
      }
    }
  });

  it("returns at once where nothing changed, builds anew where something did", async () => {
    const before = (await loadModel({ folder: out })).manifest;
    const again = await compileModel(parameters);
    expect(again).toMatchObject({ isCached: true, manifest: before });
    const other = await compileModel({ ...parameters, quantise: { weightBits: 7 } });
    expect(other.isCached).toBe(false);
    expect(other.manifest.buildKey).not.toBe(before.buildKey);
    expect((await compileModel(parameters)).isCached).toBe(false);
  });

  it("builds anew where a file was damaged", async () => {
    const { manifest } = await loadModel({ folder: out });
    writeFileSync(join(out, manifest.files.plan), "damaged");
    await expect(loadModel({ folder: out })).rejects.toThrow(failure("model.hashMismatch"));
    expect((await compileModel(parameters)).isCached).toBe(false);
    expect((await loadModel({ folder: out })).manifest.name).toBe("small");
  });

  it("keeps the old model and cleans up where a build fails", async () => {
    const before = readFileSync(join(out, "manifest.json"), "utf8");
    const tooSmall = join(root, "small.ptau");
    await generatePtau({ power: 3, ptau: tooSmall, onProgress: () => {} });
    await expect(compileModel({ ...parameters, ptau: tooSmall })).rejects.toThrow(
      failure("ptau.tooSmall"),
    );
    expect(readFileSync(join(out, "manifest.json"), "utf8")).toBe(before);
    expect(readdirSync(join(root, "models"))).toEqual(["small"]);
  });

  it.each([
    [{ name: "Not A Slug" }, "compile.nameInvalid"],
    [{ beacon: "beef" }, "compile.beaconInvalid"],
    [{ onnx: new Uint8Array(8) }, "onnx.malformed"],
    [{ calibration: [] }, "quantise.calibrationInvalid"],
    [{ test: { inputs: [[1, 2]], labels: [0] } }, "samples.invalid"],
    [{ ptau: "/does/not/exist" }, "ptau.missing"],
  ])("refuses %o", async (change, code) => {
    await expect(compileModel({ ...parameters, ...change })).rejects.toThrow(failure(code));
  });
});

describe("proveSample", () => {
  it("refuses what can prove nothing: a plan that does not load, lost outputs, another key", async () => {
    const { manifest, integerModel } = await loadModel({ folder: out });
    const file = (name: string) => join(out, name);
    const given = {
      integerModel,
      tensors: manifest,
      sample: [1, 2, 3],
      verificationKey: JSON.parse(readFileSync(file(manifest.files.verificationKey), "utf8")),
      plan: file(manifest.files.plan),
      zkey: file(manifest.files.zkey),
    };
    await proveSample(given);
    const [first, ...others] = integerModel.outputs;
    const lost = { ...integerModel, outputs: [{ ...first, value: "nowhere" }, ...others] };
    const otherKey = { ...given.verificationKey, vk_delta_2: given.verificationKey.vk_gamma_2 };
    for (const change of [
      { plan: file("manifest.json") },
      { integerModel: lost as typeof integerModel },
      { verificationKey: otherKey },
    ]) {
      await expect(proveSample({ ...given, ...change })).rejects.toThrow(
        failure("compile.notProvable"),
      );
    }
  });
});

describe("keys", () => {
  it("are refused where nobody contributed: delta is still the generator", async () => {
    // of the powers that were made here, the greatest has room for every circuit
    const made = readdirSync(ptauFolder).filter((name) => name.endsWith(".ptau"));
    const ptau = made.toSorted().at(-1);
    const initial = { type: "mem" as const };
    await zKey.newZKey(join(out, "circuit.r1cs"), join(ptauFolder, ptau ?? ""), initial);
    const key = await zKey.exportVerificationKey(initial);
    expect(() => requireSoundVerifyingKey(key)).toThrow(failure("verifyingKey.pointIsGenerator"));
  });
});

describe("loadModel", () => {
  it("names a folder without a manifest", async () => {
    await expect(loadModel({ folder: join(root, "nowhere") })).rejects.toThrow(
      failure("model.missing"),
    );
  });

  it("names the field of a manifest that is wrong", async () => {
    const folder = mkdtempSync(join(root, "bad-"));
    writeFileSync(join(folder, "manifest.json"), "{");
    await expect(loadModel({ folder })).rejects.toThrow(failure("model.invalid"));
    const manifest = JSON.parse(readFileSync(join(out, "manifest.json"), "utf8"));
    manifest.input.layout.bits = 0;
    writeFileSync(join(folder, "manifest.json"), JSON.stringify(manifest));
    await expect(loadModel({ folder })).rejects.toThrow(/input\.layout\.bits/);
  });

  it("says of a model of an earlier format that it has to be compiled again", async () => {
    const folder = mkdtempSync(join(root, "old-"));
    writeFileSync(join(folder, "manifest.json"), JSON.stringify({ format: 2, name: "small" }));
    await expect(loadModel({ folder })).rejects.toThrow(
      expect.objectContaining({
        code: "model.outdated",
        message: expect.stringMatching(
          /manifest\.json: format 2, expected 3: compile the model again$/,
        ),
      }),
    );
  });
});

describe("powers of tau", () => {
  const ceremony = join(root, "ceremony.ptau");
  beforeAll(async () => {
    await generatePtau({ power: 4, ptau: ceremony, onProgress: () => {} });
    rmSync(`${ceremony}.json`);
  });

  it("are not used before they were checked", async () => {
    await expect(readPtauRecord(ceremony)).rejects.toThrow(failure("ptau.unchecked"));
  });

  it("are refused where the hash is another", async () => {
    const expected = { algorithm: "sha256" as const, hash: "00".repeat(32) };
    await expect(importPtau({ ptau: ceremony, expected, onProgress: () => {} })).rejects.toThrow(
      failure("ptau.hashMismatch"),
    );
    expect(existsSync(`${ceremony}.json`)).toBe(false);
  });

  it("are refused where the powers are inconsistent", async () => {
    const damaged = join(root, "damaged.ptau");
    const bytes = readFileSync(ceremony);
    // swap two points of the first section of points, each on the curve
    const start = bytes.length - 64 * 4;
    const [a, b] = [bytes.subarray(start, start + 64), bytes.subarray(start + 64, start + 128)];
    writeFileSync(
      damaged,
      Buffer.concat([bytes.subarray(0, start), b, a, bytes.subarray(start + 128)]),
    );
    const hash = await hashFile({ path: damaged, algorithm: "blake2b512" });
    const expected = { algorithm: "blake2b512" as const, hash };
    await expect(importPtau({ ptau: damaged, expected, onProgress: () => {} })).rejects.toThrow(
      failure("ptau.invalid"),
    );
  });

  it("are taken with the published hash, and noticed when they change later", async () => {
    const hash = (await hashFile({ path: ceremony, algorithm: "blake2b512" })).slice(2);
    const expected = { algorithm: "blake2b512" as const, hash: hash.toUpperCase() };
    await importPtau({ ptau: ceremony, expected, onProgress: () => {} });
    expect(await readPtauRecord(ceremony)).toMatchObject({ origin: "ceremony", power: 4 });
    const changed = readFileSync(ceremony);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    writeFileSync(ceremony, changed);
    await expect(readPtauRecord(ceremony)).rejects.toThrow(failure("ptau.hashMismatch"));
  });

  it("have a power from 1 to 20", async () => {
    const ptau = developmentPtauPath({ folder: root, power: 0 });
    await expect(generatePtau({ power: 0, ptau, onProgress: () => {} })).rejects.toThrow(
      failure("ptau.powerInvalid"),
    );
  });
});
