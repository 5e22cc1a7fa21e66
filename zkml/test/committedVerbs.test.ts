import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadModel } from "@haca/model-runtime/loadModel";
import { commitInput, parseSalt } from "@haca/protocol/inputCommitment";
import { packWords } from "@haca/protocol/packedWords";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { multilayerPerceptron } from "./utils/onnxFile.ts";
import { type Result, zkml } from "./utils/runZkml.ts";

const root = mkdtempSync(join(tmpdir(), "haca-committed-"));
afterAll(() => rmSync(root, { recursive: true }));
const run = (...args: string[]): Promise<Result> => zkml({ args, cwd: root });
const write = (name: string, content: string | Uint8Array): void =>
  writeFileSync(join(root, name), content);

/** The commitment to whole numbers from 0 to 3, two bits each with the margin of calibration. */
async function commitmentOf(values: bigint[], salt?: string): Promise<string> {
  const { manifest } = await loadModel({ folder: join(root, "m") });
  const words = packWords({ layouts: [manifest.input.layout], integers: values });
  return salt === undefined
    ? String(commitInput({ mode: "committed", words }))
    : String(commitInput({ mode: "salted", words, salt: parseSalt(salt) }));
}

beforeAll(() => {
  write("m.onnx", multilayerPerceptron({ inputs: 3, hidden: 2, classes: 2 }));
  write("c.json", "[[1,2,3],[3,0,1]]");
  write("input.json", "[1, 2, 3]");
});

describe("zkml with a salted input", () => {
  let made: Result;
  beforeAll(async () => {
    const args = ["--calibration", "c.json", "--out", "m", "--input-mode", "salted"];
    made = await run("compile", "m.onnx", ...args);
    expect(made).toMatchObject({ code: 0, stderr: "" });
  });

  it("compiles, and says what is hidden from whom", () => {
    expect(made.stdout).toMatch(
      /input shown as +a hash with a salt of the request: hidden from the chain, not from the node/,
    );
    expect(made.stdout).toMatch(/public signals +3\n/);
  });

  it("shows the commitment to the input and its salt, and no word of it", async () => {
    const { code, stderr, stdout } = await run("infer", "m", "input.json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const answer = JSON.parse(stdout);
    expect(Object.keys(answer)).toEqual([
      ...["model", "label", "outputs", "commitment", "salt", "outputWords"],
    ]);
    expect(answer.commitment).toBe(await commitmentOf([1n, 2n, 3n], answer.salt));
    expect(await run("infer", "m", "input.json", "--salt", answer.salt)).toEqual({
      ...{ code: 0, stderr: "", stdout },
    });
  });

  it("proves it, for this input and salt alone, and reproduces its circuit", async () => {
    const proved = await run("prove", "m", "input.json");
    expect(proved.code).toBe(0);
    const { commitment, salt } = JSON.parse(proved.stdout);
    const signals = JSON.parse(readFileSync(join(root, "public.json"), "utf8"));
    expect(signals).toHaveLength(3);
    expect(signals[0]).toBe(commitment);
    const verified = await run("verify", "m", "--input", "input.json", "--salt", salt);
    expect(verified).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(verified.stdout)).toMatchObject({ valid: true, commitment });
    expect(verified.stdout).not.toContain("inputWords");
    const otherSalt = salt.replace(/.$/, (digit: string) => (digit === "0" ? "1" : "0"));
    expect(await run("verify", "m", "--input", "input.json", "--salt", otherSalt)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^zkml: the proof is not of this input: public signal 0 /),
    });
    const reproduced = await run("reproduce", "m", "--onnx", "m.onnx");
    expect(reproduced.stdout).toMatch(/\nreproduced\n$/);
  });

  it.each<[string, string[], RegExp]>([
    [
      "a salt that is easily tried",
      ["prove", "m", "--salt", `0x${"1".padStart(64, "0")}`],
      /salt: has too few random bits/,
    ],
    [
      "a check of the input without its salt",
      ["verify", "m", "--input", "input.json"],
      /give --salt with --input/,
    ],
  ])("refuses %s", async (_, args, message) => {
    expect(await run(...args)).toMatchObject({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(message),
    });
  });
});

describe("zkml with a committed input", () => {
  it("warns that it can be tried, and shows the commitment, without a salt", async () => {
    // what needs no circuit: a second one would take seconds
    const path = join(root, "m", "manifest.json");
    const manifest = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ ...manifest, inputMode: "committed" }));
    expect((await run("inspect", "m")).stdout).toMatch(
      /whoever can try all likely inputs finds the one; --input-mode salted hides it/,
    );
    const answer = JSON.parse((await run("infer", "m", "input.json")).stdout);
    expect(answer.salt).toBe(undefined);
    expect(answer.commitment).toBe(await commitmentOf([1n, 2n, 3n]));
  });
});
