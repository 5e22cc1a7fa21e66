import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashFile, loadModel, sha256 } from "@haca/model-runtime/loadModel";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileModel } from "../src/compileModel.ts";
import { readInput } from "../src/proving/readInput.ts";
import { proofSchema, verifyProof } from "../src/proving/verifyProof.ts";
import { reproduceModel } from "../src/reproduceModel.ts";
import { generatePtau } from "../src/setup/developmentPtau.ts";
import { findNativeProver, proverName } from "../src/setup/nativeProver.ts";
import { releaseCurve } from "../src/setup/snarkjsResources.ts";
import { onnxFile } from "./utils/onnxFile.ts";
import { zkml } from "./utils/runZkml.ts";

const root = mkdtempSync(join(tmpdir(), "haca-verbs-"));
afterAll(() => rmSync(root, { recursive: true }));
const path = (...names: string[]) => join(root, ...names);
const write = (name: string, content: string | Uint8Array): string => {
  writeFileSync(path(name), content);
  return path(name);
};
const prover = findNativeProver({ setting: process.env.HACA_PROVER });

/** Two scores of three whole numbers. */
const model = (weight: number) =>
  onnxFile({
    input: [1, 1, 3],
    nodes: [
      { operator: "MatMul", inputs: ["x", "w"], output: "s" },
      { operator: "Relu", inputs: ["s"], output: "y" },
    ],
    constants: {
      w: { shape: [3, 2], data: [weight, 1, -1, weight, 1, -1] },
    },
    outputs: ["y"],
  });
const calibration = {
  inputs: [
    [1, 2, 3],
    [4, 0, 1],
    [0, 4, 4],
  ],
};
const input = "[1, 2, 3]";

async function compile(name: string, onnx: Uint8Array): Promise<void> {
  write(`${name}.onnx`, onnx);
  const lines: string[] = [];
  await compileModel({
    ...{ onnx, name, calibration, out: path(name), ptau: path("powers.ptau") },
    onProgress: (line) => lines.push(line),
  });
  expect(lines).toContain(`set up keys (${proverName(prover)}) …`);
}

beforeAll(async () => {
  await generatePtau({
    ...{ power: 7, ptau: path("powers.ptau"), onProgress: () => {} },
    ...(prover === undefined ? {} : { prover }),
  });
  await compile("small", model(0.72));
  await compile("twin", model(0.7));
  write("input.json", input);
  const args = ["prove", "small", "input.json", "--context", "0x2a"];
  const { code, stderr } = await zkml({ args, cwd: root });
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringMatching(/written to/) });
});

describe("zkml infer", () => {
  it("answers from a file and from standard input, given flat, nested or as a worker takes it", async () => {
    const inputs = [input, "[[1, 2, 3]]", '{"model": "small", "input": [1, 2, 3]}'];
    const answers = await Promise.all(
      inputs.map((text) => zkml({ args: ["infer", "small"], cwd: root, input: text })),
    );
    const byFile = await zkml({ args: ["infer", path("small"), "input.json"], cwd: root });
    for (const { code, stdout, stderr } of [byFile, ...answers]) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toBe(byFile.stdout);
    }
    const answer = JSON.parse(byFile.stdout);
    expect(Object.keys(answer)).toEqual(["model", "label", "outputs", "inputWords", "outputWords"]);
    expect(answer).toMatchObject({ model: "small", label: null });
    const [first, second] = answer.outputs.y as [number, number];
    expect(first).toBeCloseTo(0.72 * 1 - 2 + 3, 1);
    // 1 + 0.72 * 2 - 3 is negative
    expect(second).toBe(0);
    expect(answer.inputWords).toHaveLength(1);
  });

  it("takes a sample of a set", async () => {
    const set = write(
      "set.json",
      JSON.stringify({
        images: [
          [0, 0, 0],
          [1, 2, 3],
        ],
        labels: [0, 1],
      }),
    );
    const one = await zkml({ args: ["infer", "small", set, "--sample", "1"], cwd: root });
    const same = await zkml({ args: ["infer", "small", "input.json"], cwd: root });
    expect(one).toEqual(same);
  });
});

describe("zkml prove, verify and witness", () => {
  it("show what was proved, and of which input", async () => {
    const { code, stdout } = await zkml({ args: ["verify", "small"], cwd: root });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ valid: true, model: "small", context: "42" });
    const of = (text: string) =>
      zkml({ args: ["verify", "small", "--input", "-"], cwd: root, input: text });
    expect(await of(input)).toMatchObject({ code: 0, stdout });
    expect(await of("[1, 2, 2]")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^zkml: the proof is not of this input: public signal 0 .*\n$/),
    });
  });

  it("write a witness that the prover takes", async () => {
    const args = ["witness", "small", "input.json", "--context", "42", "--out", "w.wtns"];
    expect(await zkml({ args, cwd: root })).toMatchObject({ code: 0 });
    const bytes = readFileSync(path("w.wtns"));
    expect(bytes.subarray(0, 4).toString()).toBe("wtns");
    expect(bytes.length).toBeGreaterThan(32 * 20);
  });

  it.skipIf(prover === undefined)("prove the same by snarkjs", async () => {
    const files = ["--proof", "snark.json", "--public", "snark-public.json"];
    const env = { HACA_PROVER: "none" };
    const args = ["prove", "small", "input.json", "--context", "42", ...files];
    const { code, stderr } = await zkml({ args, cwd: root, env });
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringMatching(/snarkjs/) });
    expect(readFileSync(path("snark-public.json"))).toEqual(readFileSync(path("public.json")));
    expect(await zkml({ args: ["verify", "small", ...files], cwd: root })).toMatchObject({
      code: 0,
    });
  });

  it("say no to a proof of anything else", async () => {
    const { manifest } = await loadModel({ folder: path("small") });
    const read = (...names: string[]) => JSON.parse(readFileSync(path(...names), "utf8"));
    const [proof, signals] = [
      proofSchema.parse(read("proof.json")),
      read("public.json") as string[],
    ];
    const verificationKey = read("small", "verification_key.json");
    const verify = (change: { proof?: typeof proof; publicSignals?: string[] }) =>
      verifyProof({ manifest, verificationKey, proof, publicSignals: signals, ...change });
    await expect(verify({})).resolves.toMatchObject({ context: "42" });
    for (const [index, signal] of signals.entries()) {
      const publicSignals = signals.with(index, String(BigInt(signal) + 1n));
      await expect(verify({ publicSignals })).rejects.toThrow(/the proof is not valid: /);
    }
    await expect(verify({ publicSignals: signals.slice(1) })).rejects.toThrow(
      /small has 3 public signals, the proof's are 2: it is of another model/,
    );
    const noPoint = { ...proof, pi_a: ["1", "1", "1"] as typeof proof.pi_a };
    await expect(verify({ proof: noPoint })).rejects.toThrow(/the proof is not valid: /);
    await releaseCurve();
    const changed = write("changed.json", JSON.stringify(signals.with(1, "7")));
    expect(await zkml({ args: ["verify", "small", "--public", changed], cwd: root })).toMatchObject(
      {
        code: 1,
        stdout: "",
        stderr: "zkml: the proof is not valid: it is no proof of these public signals by small\n",
      },
    );
  });
});

describe("the verbs of proofs", () => {
  const files = (name: string, value: unknown) => write(name, JSON.stringify(value));
  it.each<[string, () => string[], number, RegExp]>([
    ["an unknown option", () => ["infer", "small", "--out", "x"], 2, /unknown option '--out'/],
    ["a missing file", () => ["infer", "small", "nowhere.json"], 1, /nowhere\.json: ENOENT/],
    ["a missing model", () => ["prove", "nowhere", "input.json"], 1, /manifest\.json: compile/],
    [
      "an element that is none",
      () => ["prove", "small", files("a.json", [1, "2", 3])],
      1,
      /a\.json: input\[1\]: must be a number, got a string/,
    ],
    [
      "another length",
      () => ["witness", "small", files("b.json", [1, 2])],
      1,
      /b\.json: input: must have 3 elements, got 2/,
    ],
    [
      "a context that is none",
      () => ["prove", "small", "input.json", "--context", "-1"],
      2,
      /must be a number, decimal or hex/,
    ],
    ["a missing proof", () => ["verify", "small", "--proof", "x.json"], 1, /x\.json: ENOENT/],
    [
      "a proof that is none",
      () => ["verify", "small", "--proof", files("g.json", { pi_a: ["1", "2"] })],
      1,
      /g\.json: pi_a/,
    ],
    [
      "a proof of a model of one shape",
      () => ["verify", "twin"],
      1,
      /no proof of these .* by twin/,
    ],
    [
      "a missing ONNX file",
      () => ["reproduce", "small", "--onnx", "nowhere.onnx"],
      1,
      /ENOENT.*nowhere\.onnx/,
    ],
    [
      "an option that reproduce does not know",
      () => ["reproduce", "small", "--onnx", "small.onnx", "--beacon", "00"],
      2,
      /unknown option '--beacon'/,
    ],
  ])("refuse %s", async (_, args, code, reason) => {
    const result = await zkml({ args: args(), cwd: root });
    expect(result).toMatchObject({ code, stdout: "", stderr: expect.stringMatching(reason) });
    expect(result.stderr).toMatch(/^(zkml: .*|error: .*\n\(zkml --help.*\))\n$/);
  });
});

describe("an input", () => {
  it("is refused by its file, and its place in it", async () => {
    const { manifest } = await loadModel({ folder: path("small") });
    const cases: [unknown, RegExp][] = [
      [{ model: "other", input: [1] }, /in\.json: model: is for "other", the folder holds small$/],
      [{ input: [1], inputs: [1] }, /in\.json: Unrecognized key: "inputs"$/],
      [7, /in\.json: expected a list of numbers, nested lists/],
      [[[1, 2]], /in\.json: input\[0\]: must have 3 elements, got 2$/],
    ];
    for (const [value, reason] of cases) {
      const file = write("in.json", JSON.stringify(value));
      await expect(readInput({ path: file, manifest })).rejects.toThrow(reason);
    }
    const set = write("set.json", "[[1, 2, 3]]");
    await expect(readInput({ path: set, sample: 1, manifest })).rejects.toThrow(
      /--sample: .*set\.json has samples 0 to 0, got 1$/,
    );
    await expect(readInput({ path: undefined, sample: 0, manifest })).rejects.toThrow(
      /--sample: give the file/,
    );
    await expect(readInput({ path: write("cut.json", "[1,"), manifest })).rejects.toThrow(
      /cut\.json: is not JSON$/,
    );
  });
});

describe("zkml reproduce", () => {
  const reproduce = (folder: string, ...more: string[]) =>
    zkml({ args: ["reproduce", folder, "--onnx", "small.onnx", ...more], cwd: root });

  /** The same in this process, without the keys: a line for each difference. */
  const differences = async (name: string, onnx = "small.onnx"): Promise<string[]> => {
    const workFolder = mkdtempSync(path("again-"));
    const made = await reproduceModel({
      ...{ folder: path(name), onnx: readFileSync(path(onnx)), external: new Map(), workFolder },
      ...{ keys: false, ptauFolder: root, onProgress: () => {} },
    });
    return made.differences;
  };

  /** A copy of the model in which files were changed, and the manifest says so. */
  async function forged(
    name: string,
    change: (file: (name: string) => string) => void,
  ): Promise<string> {
    const folder = path(name);
    cpSync(path("small"), folder, { recursive: true });
    const file = (inner: string) => join(folder, inner);
    change(file);
    const manifest = JSON.parse(readFileSync(file("manifest.json"), "utf8"));
    for (const [key, inner] of Object.entries<string>(manifest.files)) {
      manifest.hashes[key] = await hashFile({ path: file(inner), algorithm: "sha256" });
    }
    writeFileSync(file("manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    return name;
  }

  it("finds every file equal, and the keys made from them", async () => {
    const { code, stdout, stderr } = await reproduce("small", "--ptau", "powers.ptau");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const equal = [...stdout.matchAll(/^equal +(.*)$/gm)].map(([, name]) => name);
    expect(equal).toEqual([
      "SHA-256 of the model",
      "integer_model.json",
      "circuit.r1cs",
      "circuit.plan",
      "circuit.sym",
      "manifest.json",
      "verification_key.json",
      "circuit.zkey",
    ]);
    expect(stdout).toMatch(/^contribution \w{128}, beacon \w{64}, hashed 2\^10 times, zkml/m);
    expect(stdout).toMatch(/\nreproduced\n$/);
  });

  it("says so where nobody looked at the keys, and where their powers of tau are not here", async () => {
    const without = await reproduce("small", "--no-keys");
    expect(without).toMatchObject({ code: 0, stdout: expect.stringMatching(/but for its keys/) });
    const gone = await reproduce("small");
    expect(gone).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/circuit\.zkey cannot be verified: the powers of tau/),
    });
  });

  it("refuses the keys of a model that differs in one weight, though both verify alike", async () => {
    const keyOf = (name: string) =>
      JSON.parse(readFileSync(path(name, "verification_key.json"), "utf8"));
    const { vk_delta_2: delta, ...one } = keyOf("small");
    const { vk_delta_2: otherDelta, ...other } = keyOf("twin");
    expect(other).toEqual(one);
    expect(otherDelta).not.toEqual(delta);
    const name = await forged("exchanged", (file) => {
      for (const key of ["circuit.zkey", "verification_key.json"]) {
        cpSync(path("twin", key), file(key));
      }
      const read = (name: string) => JSON.parse(readFileSync(path(name, "manifest.json"), "utf8"));
      writeFileSync(
        file("manifest.json"),
        JSON.stringify({ ...read("small"), setup: read("twin").setup }),
      );
    });
    const { code, stdout } = await reproduce(name, "--ptau", "powers.ptau");
    expect(code).toBe(1);
    const lines = stdout.split("\n").filter((line) => line.startsWith("different"));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^different +circuit\.zkey does not follow from the circuit: /);
  });

  it("names every file that differs, and the place in it", async () => {
    const name = await forged("changed", (file) => {
      for (const part of ["circuit.sym", "circuit.r1cs"]) {
        writeFileSync(file(part), Buffer.concat([readFileSync(file(part)), Buffer.of(10)]));
      }
    });
    const found = await differences(name);
    for (const part of ["circuit.sym", "circuit.r1cs"]) {
      const { length } = readFileSync(path("small", part));
      expect(found).toContain(
        `${part}: differs from byte ${length} on; ${length} bytes, the folder has ${length + 1}`,
      );
    }
    for (const part of ["r1cs", "symbols"]) {
      expect(found).toContainEqual(
        expect.stringMatching(`^manifest\\.json: hashes\\.${part} is "0x\\w{64}", the folder says`),
      );
    }
    expect(found).toHaveLength(4);
  });

  it("names another model, another request and a manifest that says more", async () => {
    const wrong = await differences("small", "twin.onnx");
    const [made, said] = ["twin.onnx", "small.onnx"].map((name) =>
      sha256(readFileSync(path(name))),
    );
    expect(wrong).toContain(`SHA-256 of the model is ${made}, the folder says ${said}`);
    expect(wrong).toContainEqual(expect.stringMatching(/^integer_model\.json: differs from byte/));

    const name = await forged("asked", (file) => {
      const request = JSON.parse(readFileSync(file("request.json"), "utf8"));
      request.options.outputBits = 23;
      writeFileSync(file("request.json"), JSON.stringify(request));
      const manifest = JSON.parse(readFileSync(file("manifest.json"), "utf8"));
      manifest.statistics.parameters += 1;
      writeFileSync(file("manifest.json"), JSON.stringify(manifest));
    });
    expect(await differences(name)).toEqual([
      expect.stringMatching(/^manifest\.json: buildKey is .*another version of/),
      "manifest.json: statistics.parameters is 6, the folder says 7",
    ]);
  });

  it("asks for the request where it is gone, or is none", async () => {
    mkdirSync(path("bare"));
    cpSync(path("small"), path("bare"), { recursive: true });
    renameSync(path("bare", "request.json"), path("bare", "old.json"));
    expect(await reproduce("bare")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^zkml: no file .*request\.json: .* compile it again\n$/),
    });
    writeFileSync(path("bare", "request.json"), '{"format": 2}');
    await expect(differences("bare")).rejects.toThrow(/request\.json: format: /);
  });
});
