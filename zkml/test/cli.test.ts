import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { multilayerPerceptron, onnxFile } from "./utils/onnxFile.ts";

const cli = fileURLToPath(new URL("../src/cli.ts", import.meta.url));
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

type Result = { code: number | null; stdout: string; stderr: string };

/** Runs the command; kills it with SIGKILL as soon as it prints `killAt`. */
function zkml(parameters: { args: string[]; killAt?: string }): Promise<Result> {
  const { args, killAt } = parameters;
  const child = spawn(process.execPath, [cli, ...args]);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk;
    if (killAt !== undefined && stdout.includes(killAt)) {
      child.kill("SIGKILL");
    }
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

describe("zkml", () => {
  it("prints help for each command", async () => {
    for (const args of [["--help"], ["compile", "--help"], ["ptau", "--help"]]) {
      const { code, stdout } = await zkml({ args });
      expect(code).toBe(0);
      expect(stdout).toMatch(/Usage: zkml/);
    }
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
      /whole number/,
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
      /no powers-of-tau file at x\.ptau/,
    ],
    ["a folder without a model", ["inspect", folder], 1, /manifest\.json: compile the model/],
    ["an unknown command", ["prove"], 2, /unknown command/],
  ])("refuses %s", async (_, args, code, message) => {
    const result = await zkml({ args });
    expect(result).toMatchObject({ code, stderr: expect.stringMatching(message) });
    expect(existsSync(out)).toBe(false);
  });

  it("leaves no half model where it is killed, and compiles afterwards", async () => {
    const args = ["compile", model, "--calibration", calibration, "--out", out, "--name", "small"];
    const killed = await zkml({ args, killAt: "set up keys" });
    expect(killed.code).toBe(null);
    expect(existsSync(out)).toBe(false);

    const { code, stdout, stderr } = await zkml({ args });
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).toMatch(/constraints +\d+/);
    expect(readdirSync(out)).toContain("manifest.json");

    const inspected = await zkml({ args: ["inspect", out] });
    expect(inspected).toMatchObject({ code: 0, stdout: expect.stringMatching(/model +small/) });
    const again = await zkml({ args });
    expect(again).toMatchObject({ code: 0, stdout: expect.stringMatching(/unchanged/) });
  });
});
