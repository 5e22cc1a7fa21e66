import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { curves, powersOfTau, zKey } from "snarkjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileModel } from "../src/compileModel.ts";
import { findObstacles } from "../src/kinds/buildGraph.ts";
import { parseOnnx } from "../src/onnx/parseOnnx.ts";
import { readOnnxFile } from "../src/onnx/readOnnxFile.ts";
import { readSamples } from "../src/quantise/readSamples.ts";
import { readKeyTranscript } from "../src/setup/keyTranscript.ts";
import { findNativeProver, runNativeProver } from "../src/setup/nativeProver.ts";
import { setUpKeys } from "../src/setup/setUpKeys.ts";
import { fileInMemory, releaseCurve } from "../src/setup/snarkjsResources.ts";
import { multilayerPerceptron } from "./utils/onnxFile.ts";
import { r1csFile, type Sum } from "./utils/r1csFile.ts";

const TARGET = join(import.meta.dirname, "../../prover/target");
/** From `npm run build:prover`, or from the prover's own test suite, which runs before this one. */
const prover = ["release", "debug"]
  .map((profile) => join(TARGET, profile, "haca-prover"))
  .find((path) => existsSync(path));
const deep = process.env.HACA_DEEP === "1";
const root = mkdtempSync(join(tmpdir(), "haca-native-keys-"));
const path = (name: string) => join(root, name);
const run = (...parameters: string[]) =>
  execFileSync(prover ?? "", parameters, { cwd: root, stdio: "pipe", encoding: "utf8" });
const bytes = (name: string) => readFileSync(path(name));
/** Comparing with `toEqual` would print megabytes. */
const areEqual = (one: string, other: string) => bytes(one).equals(bytes(other));

afterAll(async () => {
  await releaseCurve();
  rmSync(root, { recursive: true, force: true });
});

/** The same numbers for the same seed (SplitMix64; Steele, Lea and Flood, OOPSLA 2014). */
function numbers(seed: number): (limit: number) => number {
  let state = BigInt(seed);
  const mask = 2n ** 64n - 1n;
  return (limit) => {
    state = (state + 0x9e3779b97f4a7c15n) & mask;
    let word = state;
    word = ((word ^ (word >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    word = ((word ^ (word >> 27n)) * 0x94d049bb133111ebn) & mask;
    return Number((word ^ (word >> 31n)) % BigInt(limit));
  };
}

/**
 * Rows with coefficients of all kinds, zero too; wires twice in a sum, wires in no row; no outputs, no public inputs
 * or some. Nobody could prove anything in such a circuit, but its keys are keys.
 */
function randomCircuit(seed: number): { r1cs: Buffer; power: number } {
  const below = numbers(seed);
  const outputs = below(3);
  const publicInputs = seed % 4 === 0 ? 0 : below(4);
  const wires = 1 + outputs + publicInputs + below(40);
  const rows = seed % 5 === 0 ? 2 ** (2 + below(4)) - outputs - publicInputs : 1 + below(60);
  const coefficient = () =>
    [
      0n,
      1n,
      -1n,
      BigInt(below(256)) - 128n,
      2n ** BigInt(below(250)),
      BigInt(below(2 ** 40)) ** 6n,
    ][below(6)] ?? 0n;
  const sum = (): Sum =>
    Array.from({ length: below(5) }, () => [below(3) === 0 ? 0 : below(wires), coefficient()]);
  const constraints = Array.from({ length: Math.max(rows, 1) }, () => [sum(), sum(), sum()]);
  return {
    r1cs: r1csFile({ wires, outputs, publicInputs, constraints: constraints as [Sum, Sum, Sum][] }),
    power: Math.floor(Math.log2(constraints.length + outputs + publicInputs)) + 1,
  };
}

describe.skipIf(prover === undefined)("keys of the native prover", () => {
  beforeAll(() => {
    for (const power of [1, 2, 3, 4, 5, 6, 7]) {
      run("ptau", "new", String(power), `${power}.ptau`);
    }
  });

  it("prepares powers of tau for phase 2 as snarkjs does", async () => {
    for (const power of [1, 6]) {
      await powersOfTau.preparePhase2(path(`${power}.ptau`), path("prepared.ptau"));
      expect(areEqual(`${power}.ptau`, "prepared.ptau")).toBe(true);
    }
  });

  it("makes powers of tau that snarkjs refuses as a ceremony's", async () => {
    expect(await powersOfTau.verify(fileInMemory(path("5.ptau")))).toBe(false);
  });

  it("checks powers of tau that snarkjs made", async () => {
    const curve = await curves.getCurveFromName("bn128");
    await powersOfTau.newAccumulator(curve, 4, path("new.ptau"));
    await powersOfTau.contribute(path("new.ptau"), path("contributed.ptau"), "somebody", "x");
    await powersOfTau.preparePhase2(path("contributed.ptau"), path("ceremony.ptau"));
    expect(run("ptau", "check", "ceremony.ptau")).toBe("power 4, 1 contributions\n");
    expect(() => run("ptau", "check", "contributed.ptau")).toThrow(/not prepared for phase 2/);
    await powersOfTau.preparePhase2(path("new.ptau"), path("nobody.ptau"));
    expect(() => run("ptau", "check", "nobody.ptau")).toThrow(/nobody has contributed/);
  });

  it("makes the first key of 20 circuits byte for byte as snarkjs does", async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { r1cs, power } = randomCircuit(seed);
      writeFileSync(path("circuit.r1cs"), r1cs);
      // powers that end with the circuit, and powers that go on
      const ptau = `${seed % 2 === 0 ? power : power + 1}.ptau`;
      run("setup", "circuit.r1cs", ptau, "ours.zkey");
      await zKey.newZKey(path("circuit.r1cs"), path(ptau), path("theirs.zkey"));
      expect(areEqual("ours.zkey", "theirs.zkey"), `seed ${seed}, ${ptau}`).toBe(true);
    }
  });

  it("adds a beacon byte for byte as snarkjs does, and both verify each other's contributions", async () => {
    const { r1cs, power } = randomCircuit(3);
    const ptau = `${power}.ptau`;
    writeFileSync(path("circuit.r1cs"), r1cs);
    run("setup", "circuit.r1cs", ptau, "0.zkey");
    run("contribute", "0.zkey", "1.zkey", "--name", "Ada 🦀");
    await zKey.contribute(path("1.zkey"), path("2.zkey"), "somebody", "x");
    run("contribute", "2.zkey", "3.zkey");
    const name = `${"x".repeat(63)}🦀`;
    const beacon = "00ff".repeat(16);
    run("beacon", "3.zkey", "ours.zkey", beacon, "11", "--name", name);
    await zKey.beacon(path("3.zkey"), path("theirs.zkey"), name, beacon, 11);
    expect(areEqual("ours.zkey", "theirs.zkey")).toBe(true);

    const verify = (zkey: string) =>
      zKey.verifyFromInit(path("0.zkey"), fileInMemory(path(ptau)), path(zkey));
    expect(await verify("ours.zkey")).toBe(true);
    const lines = run("verify-key", "circuit.r1cs", ptau, "theirs.zkey").split("\n");
    expect(lines.map((line) => line.replace(/[0-9a-f]{128}/, "#"))).toEqual([
      "circuit #",
      "contribution # Ada 🦀",
      "contribution # somebody",
      "contribution #",
      `contribution # beacon ${beacon} 2^11 ${"x".repeat(63)}\ufffd`,
      "valid",
      "",
    ]);
    const { csHash, contributions } = readKeyTranscript(path("theirs.zkey"));
    const read = contributions.map(({ hash, name, beacon: value, iterations }) =>
      [
        ...["contribution", hash, ...(value === undefined ? [] : ["beacon", value])],
        ...[...(iterations === undefined ? [] : [`2^${iterations}`]), ...(name ? [name] : [])],
      ].join(" "),
    );
    expect([`circuit ${csHash}`, ...read, "valid", ""]).toEqual(lines);
    // What snarkjs says is in order, and is not: anyone can forge proofs with it.
    expect(await verify("0.zkey")).toBe(true);
    expect(() => run("verify-key", "circuit.r1cs", ptau, "0.zkey")).toThrow(/no contribution/);
  });

  it("sets up a key for the compiler, which snarkjs verifies", async () => {
    const { r1cs, power } = randomCircuit(7);
    writeFileSync(path("circuit.r1cs"), r1cs);
    const lines: string[] = [];
    const { verificationKey, beacon } = await setUpKeys({
      r1cs: path("circuit.r1cs"),
      ptau: path(`${power}.ptau`),
      workFolder: root,
      zkey: path("key.zkey"),
      prover: prover ?? "",
      onProgress: (line) => lines.push(line),
    });
    expect(beacon).toMatch(/^[0-9a-f]{64}$/);
    expect(verificationKey.IC.length).toBe(verificationKey.nPublic + 1);
    expect(
      await zKey.verifyFromR1cs(
        path("circuit.r1cs"),
        fileInMemory(path(`${power}.ptau`)),
        path("key.zkey"),
      ),
    ).toBe(true);
  });

  it("makes the powers of tau and the keys of a compiled model, and the steps say so", async () => {
    const lines: string[] = [];
    const { folder, manifest } = await compileModel({
      onnx: multilayerPerceptron({ inputs: 3, hidden: 2, classes: 2 }),
      name: "native",
      calibration: [
        [1, 2, 3],
        [0, 1, 0],
      ],
      out: path("model"),
      ptauFolder: path("ptau"),
      prover: prover ?? "",
      onProgress: (line) => lines.push(line),
    });
    expect(lines).toContain("set up keys (native prover) …");
    expect(lines).toContain("prove and verify one sample (native prover) …");
    expect(lines.filter((line) => /^powers of tau .* \(native prover\) …/.test(line))).toHaveLength(
      1,
    );
    expect(manifest.setup.ptau).toBe("development");
    const [ptau] = readdirSync(path("ptau")).filter((name) => name.endsWith(".ptau"));
    expect(
      run(
        "verify-key",
        join(folder, "circuit.r1cs"),
        join("ptau", ptau ?? ""),
        join(folder, "circuit.zkey"),
      ),
    ).toMatch(
      /^circuit .*\ncontribution .* zkml compile\ncontribution .* beacon .* zkml compile\nvalid\n$/,
    );
  });

  it("says in one line why it makes no key", async () => {
    await expect(
      runNativeProver({
        program: prover ?? "",
        parameters: ["setup", path("no.r1cs"), path("5.ptau"), path("x.zkey")],
        onProgress: () => {},
      }),
    ).rejects.toThrow(expect.objectContaining({ code: "setup.failed" }));
    expect(existsSync(path("x.zkey"))).toBe(false);
  });

  // From 2^15 on snarkjs hashes a point too many; where the powers end with the circuit it is none.
  for (const [log, power] of deep
    ? [
        [14, 14],
        [14, 15],
        [15, 15],
        [15, 16],
        [16, 16],
        [16, 17],
      ]
    : []) {
    it(`makes the key of 2^${log} rows from powers up to 2^${power} as snarkjs does`, async () => {
      run("ptau", "new", String(power), "large.ptau");
      execFileSync(join(prover ?? "", "../haca-test-setup"), ["model", String(log), "1", "large"], {
        cwd: root,
      });
      run("setup", "large.r1cs", "large.ptau", "ours.zkey");
      await zKey.newZKey(path("large.r1cs"), path("large.ptau"), path("theirs.zkey"));
      expect(areEqual("ours.zkey", "theirs.zkey")).toBe(true);
    }, 600_000);
  }

  const folder = join(
    process.env.HACA_FIXTURES ?? join(import.meta.dirname, "../../../shared/fixtures"),
    "onnx",
  );
  const manifest = join(folder, "manifest.json");
  const exported: Record<"name" | "file" | "calibration", string>[] =
    deep && existsSync(manifest) ? JSON.parse(readFileSync(manifest, "utf8")) : [];
  for (const { name, file, calibration } of exported) {
    const model = readOnnxFile(join(folder, file));
    if (findObstacles(parseOnnx(model.onnx, model.external), { rawScores: true }).length > 0)
      continue;
    it(`makes the first key of ${name} byte for byte as snarkjs does`, async () => {
      const out = path("exported");
      await compileModel({
        ...model,
        name,
        calibration: readSamples(join(folder, calibration)),
        maximumError: Number.POSITIVE_INFINITY,
        rawScores: true,
        out,
        ptauFolder: path("exported-ptau"),
        prover: prover ?? "",
      });
      const r1cs = join(out, "circuit.r1cs");
      const powers = path("exported-ptau");
      const ptau = join(powers, readdirSync(powers).find((entry) => entry.endsWith(".ptau")) ?? "");
      run("setup", r1cs, ptau, "ours.zkey");
      await zKey.newZKey(r1cs, ptau, path("theirs.zkey"));
      expect(areEqual("ours.zkey", "theirs.zkey")).toBe(true);
      for (const made of [out, powers]) rmSync(made, { recursive: true });
    }, 600_000);
  }
});

describe("findNativeProver", () => {
  it("finds nothing where nothing is wanted, or what is there makes no keys", () => {
    expect(findNativeProver({ setting: "none" })).toBeUndefined();
    writeFileSync(path("old"), "#!/bin/sh\nexit 2\n", { mode: 0o755 });
    expect(findNativeProver({ setting: path("old") })).toBeUndefined();
    writeFileSync(path("earlier"), "#!/bin/sh\necho --entropy\n", { mode: 0o755 });
    expect(findNativeProver({ setting: path("earlier") })).toBeUndefined();
    writeFileSync(path("new"), "#!/bin/sh\necho --entropy-from\n", { mode: 0o755 });
    expect(findNativeProver({ setting: path("new") })).toBe(path("new"));
  });

  it("refuses a path where nothing is", () => {
    expect(() => findNativeProver({ setting: path("missing") })).toThrow(
      expect.objectContaining({ code: "prover.missing" }),
    );
  });
});
