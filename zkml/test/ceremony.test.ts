import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadModel } from "@haca/model-runtime/loadModel";
import { zKey } from "snarkjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addKey, readCeremony } from "../src/ceremony/ceremonyFolder.ts";
import { accept, addBeacon, contribute } from "../src/ceremony/extendCeremony.ts";
import { finishCeremony } from "../src/ceremony/finishCeremony.ts";
import { startCeremony } from "../src/ceremony/startCeremony.ts";
import { verifyCeremony } from "../src/ceremony/verifyCeremony.ts";
import { compileModel } from "../src/compileModel.ts";
import { generatePtau } from "../src/setup/developmentPtau.ts";
import { findNativeProver } from "../src/setup/nativeProver.ts";
import { fileInMemory, releaseCurve } from "../src/setup/snarkjsResources.ts";
import { onnxFile } from "./utils/onnxFile.ts";
import { zkml } from "./utils/runZkml.ts";

const root = mkdtempSync(join(tmpdir(), "haca-ceremony-"));
const path = (...names: string[]) => join(root, ...names);
const prover = findNativeProver({ setting: process.env.HACA_PROVER });
const native = prover === undefined ? {} : { prover };
const quiet = { ...native, onProgress: () => {} };
const ptau = path("powers.ptau");
const beacon = "00ff".repeat(16);
const run = async (...args: string[]) => await zkml({ args: ["ceremony", ...args], cwd: root });

afterAll(async () => {
  await releaseCurve();
  rmSync(root, { recursive: true });
});

async function compile(name: string, weight: number): Promise<void> {
  const onnx = onnxFile({
    input: [1, 2],
    nodes: [
      { operator: "MatMul", inputs: ["x", "w"], output: "s" },
      { operator: "Relu", inputs: ["s"], output: "y" },
    ],
    constants: { w: { shape: [2, 1], data: [weight, -1] } },
    outputs: ["y"],
  });
  writeFileSync(path(`${name}.onnx`), onnx);
  const calibration = [
    [1, 2],
    [3, 0],
  ];
  await compileModel({ onnx, name, calibration, out: path(name), ptau });
}

beforeAll(async () => {
  const making = { ...native, power: 6, onProgress: () => {} };
  await generatePtau({ ...making, ptau });
  await generatePtau({ ...making, ptau: path("other.ptau") });
  await compile("small", 0.72);
  await compile("twin", 0.7);
});

describe("zkml ceremony", () => {
  it("is a key of several parties, of which snarkjs' and ours make the same", async () => {
    cpSync(path("small"), path("model"), { recursive: true });
    const started = await run("start", "parties", "model", "--ptau", "powers.ptau");
    expect(started).toMatchObject({ code: 0, stderr: "" });
    expect(started.stdout).toMatch(/powers of tau of one machine.*\n(.*\n)*circuit {5}\w{128}\n/);
    expect(await run("start", "parties", "model", "--ptau", "powers.ptau")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^started already, nothing was changed\n/),
    });

    const ours = await zkml({
      args: ["ceremony", "contribute", "parties", "--name", "--Ada", "--entropy", "-"],
      cwd: root,
      input: "dice",
    });
    expect(ours).toMatchObject({ code: 0, stderr: "" });
    const [, hash] = /^contribution (\w{128}), --Ada$/m.exec(ours.stdout) ?? [];
    expect(hash).toBeDefined();

    const theirs = await zKey.contribute(path("parties/0001.zkey"), path("b.zkey"), "Bo", "x");
    const taken = await run("accept", "parties", "b.zkey", "--ptau", "powers.ptau");
    expect(taken).toMatchObject({ code: 0, stderr: "" });
    const theirHash = Buffer.from(theirs).toString("hex");
    expect(taken.stdout).toContain(`\ncontribution ${theirHash}, Bo\n`);

    const bySnarkjs = await zkml({
      args: ["ceremony", "contribute", "parties", "--name", "Cy"],
      cwd: root,
      env: { HACA_PROVER: "none" },
    });
    expect(bySnarkjs).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^0003\.zkey will be 0002.*\ncontribute \(snarkjs\) …/),
    });

    expect(await run("beacon", "parties", beacon)).toMatchObject({ code: 0, stderr: "" });
    expect(await run("beacon", "parties", beacon)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^this beacon was added already/),
    });
    expect(await run("contribute", "parties")).toMatchObject({
      code: 1,
      stderr: "zkml: the ceremony has ended: 0004.zkey has its beacon\n",
    });

    const verified = await run("verify", "parties", "--ptau", "powers.ptau");
    expect(verified).toMatchObject({ code: 0, stderr: "" });
    const lines = verified.stdout.split("\n").slice(2);
    expect(lines.map((line) => line.replace(/[0-9a-f]{128}/, "#"))).toEqual([
      "circuit     #",
      "contribution #, --Ada",
      "contribution #, Bo",
      "contribution #, Cy",
      `contribution #, beacon ${beacon}, hashed 2^10 times, beacon`,
      expect.stringMatching(/^transcript {2}0x\w{64}$/),
      "0004.zkey is valid",
      "",
    ]);
    expect(verified.stdout).toContain(`contribution ${hash}, --Ada`);
    const files = ["circuit.r1cs", "0004.zkey"].map((name) => fileInMemory(path("parties", name)));
    expect(
      await zKey.verifyFromR1cs(files[0] as string, fileInMemory(ptau), files[1] as string),
    ).toBe(true);

    const finished = await run("finish", "parties", "model", "--ptau", "powers.ptau");
    expect(finished).toMatchObject({ code: 0, stderr: "" });
    const { manifest } = await loadModel({ folder: path("model") });
    expect(manifest.setup).toMatchObject({ ptau: "development", phase2: "ceremony", beacon });
    expect(manifest.setup.contributions.map(({ name }) => name)).toEqual([
      ...["--Ada", "Bo", "Cy", "beacon"],
    ]);
    expect(verified.stdout).toContain(`circuit     ${manifest.setup.csHash}\n`);
    expect(verified.stdout).toContain(`transcript  ${manifest.setup.transcript}\n`);
    expect(readFileSync(path("model.before-ceremony", "manifest.json"))).toEqual(
      readFileSync(path("small", "manifest.json")),
    );
    expect(await run("finish", "parties", "model", "--ptau", "powers.ptau")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/\nfinished already, nothing was changed\n/),
    });

    const reproduce = ["reproduce", "model", "--onnx", "small.onnx", "--ptau", "powers.ptau"];
    const reproduced = await zkml({ args: reproduce, cwd: root });
    expect(reproduced).toMatchObject({ code: 0, stdout: expect.stringMatching(/\nreproduced\n$/) });
  });

  it("is not thrown away by a build of this machine", async () => {
    const onnx = readFileSync(path("small.onnx"));
    const build = { onnx, name: "small", out: path("model"), ptau };
    await expect(compileModel({ ...build, calibration: [[1, 2]] })).rejects.toThrow(
      expect.objectContaining({ code: "compile.outHasCeremony" }),
    );
    const calibration = [
      [1, 2],
      [3, 0],
    ];
    expect(await compileModel({ ...build, calibration })).toMatchObject({ isCached: true });
  });

  it.each<[string, string[], number, RegExp]>([
    ["no step", [], 2, /Usage: zkml ceremony/],
    ["a beacon that can be tried out", ["beacon", "parties", "00"], 2, /must be 32 to 255 bytes/],
    [
      "too many iterations",
      ["beacon", "parties", beacon, "--iterations", "40"],
      2,
      /must be 10 to 36/,
    ],
    ["a folder without a ceremony", ["contribute", "small"], 1, /no ceremony in .*small: /],
    ["no powers of tau", ["verify", "parties"], 2, /required option '--ptau <file>' not specified/],
    [
      "entropy that is nowhere",
      ["contribute", "parties", "--entropy", "no.txt"],
      1,
      /ENOENT.*no\.txt/,
    ],
  ])("refuses %s", async (_, args, code, reason) => {
    const result = await run(...args);
    expect(result).toMatchObject({ code, stdout: "", stderr: expect.stringMatching(reason) });
  });
});

describe("a ceremony's folder", () => {
  const started = path("started");
  beforeAll(async () => {
    await startCeremony({ ...quiet, folder: started, model: path("small"), ptau });
  });
  /** A copy in which a party has contributed. */
  async function contributed(name: string): Promise<string> {
    const folder = path(name);
    cpSync(started, folder, { recursive: true });
    await contribute({ ...quiet, folder, name: "Ada" });
    return folder;
  }

  it("is as before after a step that was killed, and the next one tidies up", async () => {
    const folder = path("killed");
    cpSync(started, folder, { recursive: true });
    const args = ["ceremony", "contribute", "killed"];
    const killed = await zkml({ args, cwd: root, killAt: "contribute (" });
    expect(killed.code).toBeNull();
    expect((await readCeremony(folder)).latest.name).toBe("0000.zkey");
    expect(readdirSync(folder)).toContainEqual(expect.stringMatching(/^\.making-/));
    await contribute({ ...quiet, folder, name: "Ada" });
    expect(readdirSync(folder).sort()).toEqual([
      ...["0000.zkey", "0001.zkey", "ceremony.json", "circuit.r1cs"],
    ]);
  });

  it("refuses half a key, a gap, another circuit and a key that goes on elsewhere", async () => {
    const folder = await contributed("broken");
    const file = (name: string) => join(folder, name);
    const other = await contributed("elsewhere");
    copyFileSync(join(other, "0001.zkey"), file("0002.zkey"));
    await expect(readCeremony(folder)).rejects.toThrow(
      /0002\.zkey: does not follow from 0001\.zkey: contribution 1 is another$/,
    );
    copyFileSync(file("0001.zkey"), file("0002.zkey"));
    await expect(readCeremony(folder)).rejects.toThrow(/0002\.zkey: adds nothing to 0001\.zkey$/);
    truncateSync(file("0002.zkey"), 1000);
    await expect(readCeremony(folder)).rejects.toThrow(/0002\.zkey: is truncated: section /);
    renameSync(file("0002.zkey"), file("0003.zkey"));
    await expect(readCeremony(folder)).rejects.toThrow(/0003\.zkey: 0002\.zkey is missing before/);
    rmSync(file("0003.zkey"));
    copyFileSync(file("0001.zkey"), file("0000.zkey"));
    await expect(readCeremony(folder)).rejects.toThrow(/0000\.zkey: is not the first key/);
    copyFileSync(path("twin", "circuit.r1cs"), file("circuit.r1cs"));
    await expect(readCeremony(folder)).rejects.toThrow(/circuit\.r1cs: SHA-256 is .* says 0x/);
    writeFileSync(file("ceremony.json"), '{"format":1}');
    await expect(readCeremony(folder)).rejects.toThrow(/ceremony\.json: model: /);
  });

  it("never replaces a folder, a key or a model that is there", async () => {
    const start = { ...quiet, model: path("twin"), ptau };
    await expect(startCeremony({ ...start, folder: path("small") })).rejects.toThrow(
      /small exists and has no ceremony: name another folder$/,
    );
    await expect(startCeremony({ ...start, folder: started })).rejects.toThrow(
      /has another ceremony \(model is small, not twin\)/,
    );
    const folder = await contributed("whole");
    const overtaken = addKey({
      ceremony: await readCeremony(started),
      make: async (to) => {
        copyFileSync(join(folder, "0001.zkey"), to);
        copyFileSync(to, join(started, "0001.zkey"));
      },
    });
    await expect(overtaken).rejects.toThrow(
      /0001\.zkey was written meanwhile: nothing was changed/,
    );
    rmSync(join(started, "0001.zkey"));
    await addBeacon({ ...quiet, folder, beacon, iterations: 10, name: "" });
    const another = { ...quiet, folder, beacon: "11".repeat(32), iterations: 10, name: "" };
    await expect(addBeacon(another)).rejects.toThrow(/has ended: 0002\.zkey has its beacon$/);
    await expect(finishCeremony({ ...quiet, folder, model: path("twin"), ptau })).rejects.toThrow(
      /twin: its circuit has SHA-256/,
    );
    mkdirSync(path("small.before-ceremony"));
    await expect(finishCeremony({ ...quiet, folder, model: path("small"), ptau })).rejects.toThrow(
      /small\.before-ceremony, where its keys would be kept, exists/,
    );
    rmSync(path("small.before-ceremony"), { recursive: true });
    // cut off between its two renamings
    renameSync(path("small"), path("small.before-ceremony"));
    await finishCeremony({ ...quiet, folder, model: path("small"), ptau });
    expect(existsSync(path("small.before-ceremony"))).toBe(true);
    const second = { ...quiet, folder: await contributed("second") };
    await addBeacon({ ...second, beacon, iterations: 10, name: "" });
    await expect(finishCeremony({ ...second, model: path("small"), ptau })).rejects.toThrow(
      /small has keys of another ceremony/,
    );
  });

  it("wants parties before its beacon, a beacon before its end, and its own powers of tau", async () => {
    const unheard = { ...quiet, folder: started, beacon, iterations: 10, name: "" };
    await expect(addBeacon(unheard)).rejects.toThrow(/nobody has contributed yet/);
    for (const program of [native, {}]) {
      const verifying = verifyCeremony({ ...program, onProgress: () => {}, folder: started, ptau });
      await expect(verifying).rejects.toThrow(/contribut/);
    }
    const folder = await contributed("open");
    await expect(finishCeremony({ ...quiet, folder, model: path("twin"), ptau })).rejects.toThrow(
      /has not ended: 0001\.zkey has no beacon$/,
    );
    await expect(verifyCeremony({ ...quiet, folder, ptau: path("other.ptau") })).rejects.toThrow(
      expect.objectContaining({ code: "ceremony.otherPtau" }),
    );
  });

  it("takes no key of another circuit", async () => {
    const folder = path("foreign");
    const taking = { ...quiet, ptau, folder: path("twins") };
    await startCeremony({ ...taking, model: path("twin") });
    await contribute({ ...taking, name: "Ada" });
    cpSync(started, folder, { recursive: true });
    await expect(accept({ ...taking, folder, file: path("twins", "0001.zkey") })).rejects.toThrow(
      /twins\/0001\.zkey: is of another circuit, or of other powers of tau$/,
    );
    expect(await accept({ ...taking, file: path("twins", "0001.zkey") })).toMatchObject({
      isNew: false,
    });
  });

  it("takes no key that does not verify, though it goes on where the latest one ends", async () => {
    const folder = await contributed("honest");
    const made = path("forged.zkey");
    await zKey.contribute(join(folder, "0001.zkey"), made, "Mallory", "x");
    const bytes = readFileSync(made);
    // the second point of H in the place of the first
    const h = sectionsOf(bytes).get(9) as { start: number; length: number };
    bytes.copyWithin(h.start, h.start + 64, h.start + 128);
    writeFileSync(made, bytes);
    for (const program of [native, {}]) {
      await expect(
        accept({ ...program, onProgress: () => {}, folder, file: made, ptau }),
      ).rejects.toThrow(expect.objectContaining({ code: "setup.failed" }));
    }
    expect((await readCeremony(folder)).latest.name).toBe("0001.zkey");
    expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
  });
});

/** Where the sections of a file lie. */
function sectionsOf(bytes: Buffer): Map<number, { start: number; length: number }> {
  const found = new Map<number, { start: number; length: number }>();
  for (let position = 12; position < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(position + 4));
    found.set(bytes.readUInt32LE(position), { start: position + 12, length });
    position += 12 + length;
  }
  return found;
}
