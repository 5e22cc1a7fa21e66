import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { curves, powersOfTau } from "snarkjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkModel } from "../src/checkModel.ts";
import { onnxModelType } from "../src/onnx/onnxSchema.ts";
import { readOnnxFile } from "../src/onnx/readOnnxFile.ts";
import { generatePtau } from "../src/setup/developmentPtau.ts";
import { releaseCurve } from "../src/setup/snarkjsResources.ts";
import { multilayerPerceptron, noise, onnxFile } from "./utils/onnxFile.ts";
import { zkml } from "./utils/runZkml.ts";

const folder = mkdtempSync(join(tmpdir(), "haca-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

const write = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const model = write("model.onnx", multilayerPerceptron({ inputs: 3, hidden: 2, classes: 2 }));
const calibration = write("calibration.json", "[[1,2,3],[3,0,1]]");
const out = join(folder, "out");
/** Real numbers, ends in a view without a batch dimension; its file's name is no slug. */
const real = write(
  "My Model_v2.onnx",
  onnxFile({
    input: ["batch", 2, 2],
    nodes: [
      { operator: "Flatten", inputs: ["x"], output: "flat" },
      { operator: "Gemm", inputs: ["flat", "w"], output: "s" },
      { operator: "Relu", inputs: ["s"], output: "h" },
      { operator: "Dropout", inputs: ["h"], output: "d" },
      { operator: "Gemm", inputs: ["d", "v"], output: "z" },
      { operator: "Reshape", inputs: ["z", "all"], output: "y" },
    ],
    constants: {
      w: noise([4, 4], 1),
      v: noise([4, 3], 2),
      all: { shape: [1], data: [-1], isInt64: true },
    },
    outputs: ["y"],
  }),
);
const nested = [1, 2, 3, 4].map((seed) =>
  [0, 2].map((at) => noise([4], seed).data.slice(at, at + 2)),
);
const realCalibration = write("nested.json", JSON.stringify({ input_data: nested }));

describe("zkml", () => {
  it("prints help for each command, in 80 columns", async () => {
    for (const args of [
      [],
      ["--help"],
      ["compile", "-h"],
      ["check", "-h"],
      ["ptau", "-h"],
      ["inspect", "-h"],
      ["infer", "-h"],
      ["witness", "-h"],
      ["prove", "-h"],
      ["verify", "-h"],
      ["reproduce", "-h"],
    ]) {
      const { code, stdout } = await zkml({ args });
      expect(code).toBe(0);
      expect(stdout).toMatch(/Usage: zkml/);
      for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    }
  });

  it("takes paths from the person's folder, also where npm has started it", async () => {
    const project = fileURLToPath(new URL("../..", import.meta.url));
    const args = ["inspect", "models/nowhere"];
    const expected = `no file ${join(folder, "models", "nowhere", "manifest.json")}`;
    const direct = await zkml({ args, cwd: folder });
    expect(direct).toMatchObject({ code: 1, stderr: expect.stringContaining(expected) });
    const byNpm = await zkml({ args, cwd: project, env: { INIT_CWD: folder } });
    expect(byNpm).toMatchObject({ code: 1, stderr: expect.stringContaining(expected) });
  });

  it("replaces no folder that is not a compiled model", async () => {
    const home = join(folder, "home");
    mkdirSync(home);
    writeFileSync(join(home, "letters"), "dear");
    const args = ["compile", model, "--calibration", calibration, "--out", home];
    const { code, stderr } = await zkml({ args });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `zkml: ${home} exists and is no compiled model: it would be replaced; name another folder\n`,
    });
    expect(readFileSync(join(home, "letters"), "utf8")).toBe("dear");
  });

  it("names node and operator that it does not support, in one line", async () => {
    const bad = write(
      "bad.onnx",
      onnxFile({
        input: [1, 3],
        nodes: [{ operator: "Softmax", name: "probabilities", inputs: ["x"], output: "y" }],
        outputs: ["y"],
      }),
    );
    const { code, stderr } = await zkml({
      args: ["compile", bad, "--calibration", calibration, "--out", out],
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^zkml: node probabilities: operator Softmax is not supported.*\n$/);
    expect(existsSync(out)).toBe(false);
  });

  it.each([
    ["a missing option", ["compile", model, "--out", out], 2, /--calibration/],
    [
      "a missing model",
      ["compile", "nowhere.onnx", "--calibration", calibration, "--out", out],
      1,
      /nowhere\.onnx/,
    ],
    [
      "calibration that is not JSON",
      ["compile", model, "--calibration", model, "--out", out],
      1,
      /model\.onnx/,
    ],
    [
      "a number that is none",
      ["compile", model, "--calibration", calibration, "--out", out, "--weight-bits", "8x"],
      2,
      /must be an integer/,
    ],
    [
      "a range that is none",
      ["compile", model, "--calibration", calibration, "--out", out, "--input-range", "0..16"],
      2,
      /minimum,maximum,exponent/,
    ],
    ["ptau without a task", ["ptau"], 2, /either --power or --file/],
    ["ptau without a hash", ["ptau", "--file", "x.ptau"], 2, /--blake2b or --sha256/],
    [
      "ptau with a wrong path",
      ["ptau", "--file", "x.ptau", "--sha256", "00"],
      1,
      /no powers-of-tau file at .*x\.ptau/,
    ],
    ["ptau with a hash of no file", ["ptau", "--power", "4", "--sha256", "00"], 2, /belong to/],
    [
      "ptau with two hashes",
      ["ptau", "--file", "x.ptau", "--sha256", "00", "--blake2b", "00"],
      2,
      /one of --blake2b and --sha256/,
    ],
    ["an option that ptau does not know", ["ptau", "--out", "x"], 2, /unknown option '--out'/],
    [
      "an option that inspect does not know",
      ["inspect", folder, "--ptau", "x"],
      2,
      /unknown option/,
    ],
    ["a second model", ["compile", model, model], 2, /calibration|too many arguments/],
    [
      "a folder for a model",
      ["compile", folder, "--calibration", calibration, "--out", out],
      1,
      /^zkml: EISDIR.*\n$/,
    ],
    ["a folder without a model", ["inspect", folder], 1, /manifest\.json: compile the model/],
    ["an unknown command", ["register"], 2, /unknown command/],
    ["an option that check does not know", ["check", model, "--out", "x"], 2, /unknown option/],
    ["a check of nothing", ["check", "nowhere.onnx"], 1, /^zkml: ENOENT.*nowhere\.onnx.*\n$/],
    ["a bound that is none", ["compile", model, "--max-error", "5%"], 2, /number above 0/],
    [
      "samples that are no lists",
      ["compile", model, "--calibration", write("flat.json", "[1,2,3]"), "--out", out],
      1,
      /flat\.json: sample 0 is no list: expected a list of samples, or an object with `inputs`/,
    ],
    [
      "samples that hold texts",
      ["compile", model, "--calibration", write("text.json", '[["1",2,3]]'), "--out", out],
      1,
      /text\.json: sample 0, element 0 is no number: expected/,
    ],
    [
      "a test sample of another length, with its file",
      [
        ...["compile", model, "--calibration", calibration, "--out", out],
        ...["--test", write("short.json", "[[1,2,3],[1]]")],
      ],
      1,
      /short\.json: sample 1 has 1 elements, expected 3/,
    ],
    [
      "bits that lose too much, saying how much and where",
      [
        ...["compile", real, "--calibration", realCalibration, "--out", out],
        ...["--weight-bits", "2", "--activation-bits", "2", "--max-error", "0.001"],
      ],
      1,
      /^zkml: the integer model loses [\d.]+ % relative error on calibration data, more than the 0\.100 accepted \(--max-error\), most of it at \w+; give more bits, or accept it\n$/,
    ],
  ])("refuses %s", async (_, args, code, message) => {
    const result = await zkml({ args });
    expect(result).toMatchObject({ code, stderr: expect.stringMatching(message) });
    expect(existsSync(out)).toBe(false);
  });

  describe("powers of tau that are not whole", () => {
    const prepared = join(folder, "prepared.ptau");
    const bad = new Map<string, RegExp>();
    const take = (name: string, bytes: Uint8Array, reason: RegExp): void => {
      bad.set(write(name, bytes), reason);
    };

    beforeAll(async () => {
      await generatePtau({ power: 3, ptau: prepared, onProgress: () => {} });
      const curve = await curves.getCurveFromName("bn128");
      const file = (name: string) => join(folder, name);
      await powersOfTau.newAccumulator(curve, 3, file("new.ptau"));
      await powersOfTau.contribute(file("new.ptau"), file("unprepared.ptau"), "first", "entropy");
      await releaseCurve();
      const whole = readFileSync(prepared);
      const changed = (change: (bytes: Buffer) => void): Buffer => {
        const bytes = Buffer.from(whole);
        change(bytes);
        return bytes;
      };
      bad.set(file("unprepared.ptau"), /is not prepared for phase 2 \(no section 12/);
      take("cut.ptau", whole.subarray(0, -1), /is truncated: section 15 ends at byte/);
      take("half.ptau", whole.subarray(0, whole.length / 2), /is truncated: section \d+ ends/);
      take("frame.ptau", whole.subarray(0, 20), /in the middle of its frame/);
      take("empty.ptau", Buffer.alloc(0), /is not a powers-of-tau file/);
      take("long.ptau", Buffer.concat([whole, Buffer.of(0)]), /1 bytes behind its last section/);
      take(
        "text.ptau",
        Buffer.from("a page that says 404 Not Found"),
        /is not a powers-of-tau file/,
      );
      take(
        "version.ptau",
        changed((bytes) => bytes.writeUInt32LE(2, 4)),
        /another version/,
      );
      take(
        "curve.ptau",
        changed((bytes) => bytes.writeUInt32LE(7, 28)),
        /not for the curve BN254/,
      );
      take(
        "power.ptau",
        changed((bytes) => bytes.writeUInt32LE(4, 60)),
        /a file of power 4 has/,
      );
      take(
        "sections.ptau",
        changed((bytes) => bytes.writeUInt32LE(10, 8)),
        /behind its last section/,
      );
      take("contributions.ptau", dropContributions(whole), /cannot be verified|not consistent/);
      bad.set(folder, /is not a file/);
    });

    it("are refused by import, with name and reason, in one line", async () => {
      for (const [path, reason] of bad) {
        const bytes = path === folder ? "" : readFileSync(path);
        const hash = createHash("sha256").update(bytes).digest("hex");
        const { code, stderr } = await zkml({ args: ["ptau", "--file", path, "--sha256", hash] });
        expect(stderr).toMatch(/^zkml: .*\n$/);
        expect(stderr).toContain(basename(path));
        expect(stderr).toMatch(reason);
        expect(code).toBe(1);
        expect(existsSync(`${path}.json`)).toBe(false);
      }
    });

    it("are refused by compile, also with a record of an import that did not look", async () => {
      for (const [path, reason] of bad) {
        const arguments_ = ["compile", model, "--calibration", calibration, "--out", out];
        const { code, stderr } = await zkml({ args: [...arguments_, "--ptau", path] });
        expect(stderr).toMatch(/^zkml: .*\n$/);
        expect(stderr).toContain(basename(path));
        if (!path.endsWith("contributions.ptau")) expect(stderr).toMatch(reason);
        expect(code).toBe(1);
        expect(existsSync(out)).toBe(false);
      }
      const unprepared = join(folder, "unprepared.ptau");
      const sha256 = `0x${createHash("sha256").update(readFileSync(unprepared)).digest("hex")}`;
      const record = { format: 1, power: 3, origin: "ceremony", sha256 };
      write("unprepared.ptau.json", JSON.stringify(record));
      const args = ["compile", model, "--calibration", calibration, "--out", out];
      const { stderr } = await zkml({ args: [...args, "--ptau", unprepared] });
      expect(stderr).toMatch(/unprepared\.ptau: is not prepared for phase 2/);
    });

    it("names a record that is no JSON", async () => {
      const copy = write("copy.ptau", readFileSync(prepared));
      write("copy.ptau.json", "{");
      const args = ["compile", model, "--calibration", calibration, "--out", out, "--ptau", copy];
      const { code, stderr } = await zkml({ args });
      expect(stderr).toMatch(/^zkml: .*copy\.ptau\.json: is not JSON\n$/);
      expect(code).toBe(1);
    });

    it("are taken where they are whole", async () => {
      const copy = write("whole.ptau", readFileSync(prepared));
      const hash = createHash("sha256").update(readFileSync(copy)).digest("hex");
      const { code, stdout } = await zkml({ args: ["ptau", "--file", copy, "--sha256", hash] });
      expect(code).toBe(0);
      expect(stdout).toMatch(/below 2\^3 constraints, checked/);
    });
  });

  it("leaves no half model where it is killed, and compiles afterwards", async () => {
    const args = ["compile", model, "--calibration", calibration, "--out", out, "--name", "small"];
    const killed = await zkml({ args, killAt: "set up keys" });
    expect(killed.code).toBe(null);
    expect(existsSync(out)).toBe(false);
    const abandoned = () =>
      readdirSync(folder).filter((entry) => entry.startsWith("out.building-"));
    expect(abandoned()).toHaveLength(1);

    const { code, stdout, stderr } = await zkml({ args });
    expect(stderr).toBe("");
    expect(abandoned()).toEqual([]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/constraints +\d+/);
    expect(readdirSync(out)).toContain("manifest.json");

    const inspected = await zkml({ args: ["inspect", out] });
    expect(inspected).toMatchObject({ code: 0, stdout: expect.stringMatching(/model +small/) });
    const circom = join(folder, "audit.circom");
    const again = await zkml({ args: [...args, "--circom", circom] });
    expect(again).toMatchObject({ code: 0, stdout: expect.stringMatching(/unchanged/) });
    const { statistics } = JSON.parse(readFileSync(join(out, "manifest.json"), "utf8"));
    const rows = readFileSync(circom, "utf8")
      .split("\n")
      .filter((line) => line.includes("==="));
    expect(rows).toHaveLength(statistics.constraints);
    const nowhere = join(folder, "nowhere", "audit.circom");
    expect(await zkml({ args: [...args, "--circom", nowhere] })).toMatchObject({
      code: 1,
      stderr: `zkml: ENOENT: no such file or directory, open '${nowhere}'\n`,
    });
  });

  it("says of a model of an earlier version that it has to be compiled again", async () => {
    const old = join(folder, "old");
    mkdirSync(old);
    writeFileSync(join(old, "manifest.json"), JSON.stringify({ format: 2, name: "small" }));
    expect(await zkml({ args: ["inspect", old] })).toEqual({
      code: 1,
      stdout: "",
      stderr: `zkml: ${join(old, "manifest.json")}: format 2, expected 3: compile the model again\n`,
    });
  });
});

describe("zkml check", () => {
  it("says that a model is ready, and what it takes and gives", async () => {
    const { code, stdout } = await zkml({ args: ["check", real] });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^input x \[2,2\]: 4 elements\noutput y \[3\]\n28 parameters, .*\nready/,
    );
  });

  it("lists every obstacle, by node, and fails", async () => {
    const bad = write(
      "obstacles.onnx",
      onnxFile({
        input: [1, 3],
        nodes: [
          { operator: "LSTM", name: "memory", inputs: ["x"], output: "m" },
          { operator: "Pow", name: "square", inputs: ["m", "m"], output: "s" },
          { operator: "Softmax", name: "shares", inputs: ["x"], output: "p" },
        ],
        outputs: ["s", "p"],
      }),
    );
    const { code, stdout, stderr } = await zkml({ args: ["check", bad] });
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout).toMatch(/^node memory: .*\nnode square: .*\nnode shares: .*\nnot ready: 3 obst/);
    const raw = await zkml({ args: ["check", bad, "--raw-scores"] });
    expect(raw.stdout).toMatch(/^node memory: .*\nnode square: .*\nnot ready: 2 obstacles\n$/);
  });

  it("refuses what is no model, and weights outside the model's folder, in one line", async () => {
    const away = write("away.bin", new Uint8Array(16));
    const inner = join(folder, "inner");
    mkdirSync(inner);
    symlinkSync(away, join(inner, "link.bin"));
    const weights = (location: string, length = "16"): string => {
      const path = join(inner, `${location.replaceAll(/\W/g, "")}${length}.onnx`);
      writeFileSync(path, externalModel({ location, length }));
      return path;
    };
    const cases: [string, RegExp][] = [
      [write("cut.onnx", readFileSync(model).subarray(0, 200)), /not an ONNX model, or cut short/],
      [calibration, /not an ONNX model/],
      [weights("../away.bin"), /tensor w: external data "\.\.\/away\.bin" is outside the model's/],
      [weights(away), /is no path relative to the model/],
      [weights("link.bin"), /leads outside the model's folder/],
      [weights("gone.bin"), /does not exist beside the model/],
      [weights("."), /is not a file/],
    ];
    // each by the function that the command calls, some through the command
    const read = (path: string) => () => checkModel(readOnnxFile(path));
    for (const [path, reason] of cases) expect(read(path)).toThrow(reason);
    for (const [path, reason] of [cases[0], cases[2]] as typeof cases) {
      const { code, stderr } = await zkml({ args: ["check", path] });
      expect(stderr).toMatch(/^zkml: .*\n$/);
      expect(stderr).toMatch(reason);
      expect(code).toBe(1);
    }
    writeFileSync(join(inner, "own.bin"), new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer));
    expect(read(weights("own.bin"))()).toMatchObject({ isReady: true });
    expect(read(weights("own.bin", "99"))).toThrow(/has 16 bytes, bytes 0 to 99 are asked for/);
  });
});

describe("zkml compile", () => {
  it("proves a model that ends in a view, from nested samples, under the name of its file", async () => {
    const folderOfModel = join(folder, "real");
    const far = nested.map((sample) => sample.map((row) => row.map((x) => 5 * x)));
    const test = write(
      "test.json",
      JSON.stringify({ inputs: [...nested, far[0]], targets: [0, 0, 0, 0, 0] }),
    );
    const { code, stdout, stderr } = await zkml({
      args: [
        ...["compile", real, "--calibration", realCalibration, "--out", folderOfModel],
        ...["--test", test],
      ],
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/bits: weights \d+, activations \d+, input \d+/);
    expect(stdout).toMatch(/error on 4 calibration samples, relative: y [\d.]+ %/);
    expect(stdout).toMatch(/distance to targets: float [\d.]+, integer [\d.]+/);
    expect(stdout).toMatch(
      /1 test samples are refused, the first: .*test\.json: sample 4: element/,
    );
    expect(stdout).toMatch(/prove and verify one sample/);
    const manifest = JSON.parse(readFileSync(join(folderOfModel, "manifest.json"), "utf8"));
    expect(manifest).toMatchObject({ name: "my-model-v2", outputs: [{ shape: [3] }] });
    expect(manifest.statistics.outputErrors[0]).toBeLessThan(0.01);
  });
});

/** x times a matrix whose numbers are in another file. */
function externalModel(entries: Record<string, string>): Uint8Array {
  const tensorType = (size: number) => ({
    tensorType: { elemType: 1, shape: { dim: [{ dimValue: 1 }, { dimValue: size }] } },
  });
  return onnxModelType
    .encode(
      onnxModelType.fromObject({
        opsetImport: [{ version: 17 }],
        graph: {
          node: [{ opType: "MatMul", name: "product", input: ["x", "w"], output: ["y"] }],
          initializer: [
            {
              name: "w",
              dims: [2, 2],
              dataType: 1,
              dataLocation: 1,
              externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
            },
          ],
          input: [{ name: "x", type: tensorType(2) }],
          output: [{ name: "y", type: tensorType(2) }],
        },
      }),
    )
    .finish();
}

/** The file with a section of contributions that says it holds one, and ends there. */
function dropContributions(whole: Buffer): Buffer {
  const parts = [whole.subarray(0, 12)];
  for (let position = 12; position < whole.length; ) {
    const length = Number(whole.readBigUInt64LE(position + 4));
    const section = Buffer.from(whole.subarray(position, position + 12 + length));
    if (section.readUInt32LE(0) === 7) {
      section.writeBigUInt64LE(4n, 4);
      parts.push(section.subarray(0, 16));
    } else parts.push(section);
    position += 12 + length;
  }
  return Buffer.concat(parts);
}
