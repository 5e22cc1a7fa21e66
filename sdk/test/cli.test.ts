import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isColoured, printLines, wrapped } from "../src/cli/print.ts";
import { type VerifyArguments, verifyFile } from "../src/cli/receiptCommands.ts";
import { lineOf } from "../src/line.ts";
import { makeReceipt } from "../src/receipt/makeReceipt.ts";
import { serialiseReceipt } from "../src/receipt/serialiseReceipt.ts";
import { receiptId } from "../src/typedData.ts";
import { receiptOf, textOf, VECTORS } from "./support/vectors.ts";

const COMMAND = fileURLToPath(new URL("../src/cli/cli.ts", import.meta.url));

type Ended = { status: number; out: string; err: string };

/** The command as a process, with what it reads from standard input. */
const haca = (args: readonly string[], input = "", env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [COMMAND, ...args],
      { env: { ...process.env, ...env } },
      (error, out, err) => resolve({ status: error === null ? 0 : Number(error.code), out, err }),
    );
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });

let folder = "";
const file = (name: string): string => join(folder, name);
const write = (name: string, text: string): string => {
  writeFileSync(file(name), text);
  return file(name);
};
let pins: readonly string[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "haca-receipt-"));
  const path = write("pins.json", JSON.stringify(VECTORS.pins));
  pins = ["--pins", path, "--now", VECTORS.now];
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("haca receipt verify", () => {
  it("ends with 0 for a verified receipt, in lines of 80 columns without colours", async () => {
    const receipt = write("good.json", textOf("teeP256InPage"));
    const { status, out, err } = await haca(["receipt", "verify", receipt, ...pins]);
    expect([status, err]).toEqual([0, ""]);
    const lines = out.trimEnd().split("\n");
    expect(lines[0]).toBe(`receipt ${receiptId(receiptOf("teeP256InPage").core)}`);
    expect(lines.at(-1)).toBe("verified");
    expect(lines).toContain("asserted  attestation (pins, 2030-03-17T17:36:40Z)");
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
    expect(out).not.toContain("\u001b");
  });

  it("ends with 1 and says for what, where it is not verified; reads standard input", async () => {
    const [unproved, changed] = await Promise.all([
      haca(["receipt", "verify", "-", ...pins], textOf("vanilla")),
      haca(
        ["receipt", "verify", "-", ...pins, "--demand", "settled", "--model", "language"],
        textOf("zkml").replace('"price":"7"', '"price":"8"'),
      ),
    ]);
    expect(unproved).toMatchObject({ status: 1, err: "" });
    expect(unproved.out).toMatch(/not verified, for: proof\n$/);
    expect(changed.status).toBe(1);
    expect(changed.out).toMatch(/^refuted {3}signature/m);
    expect(changed.out).toMatch(/not verified, for: model, signature, proof, settled\n$/);
  });

  it("prints the same for programs", async () => {
    const { status, out } = await haca(
      ["receipt", "verify", "-", ...pins, "--json"],
      textOf("zkml"),
    );
    expect(status).toBe(0);
    const parsed = JSON.parse(out);
    expect(parsed).toMatchObject({
      id: receiptId(receiptOf("zkml").core),
      ...{ isVerified: true, missing: [] },
    });
    expect(parsed.lines[0]).toMatchObject({ check: "form", status: "asserted" });
  });

  it("takes a witness for a block whose hash it is given, and the profile legacy where it is told to", async () => {
    const [hash = ""] = VECTORS.blockHashes;
    const settled = ["receipt", "verify", "-", ...pins, "--demand", "settled"];
    const legacy = ["receipt", "verify", "-", ...pins];
    const [without, by, other, strict, taken] = await Promise.all([
      haca(settled, textOf("teeWitnessed")),
      haca([...settled, "--block-hash", hash], textOf("teeWitnessed")),
      haca([...settled, "--block-hash", `0x${"12".repeat(32)}`], textOf("teeWitnessed")),
      haca(legacy, textOf("legacyText")),
      haca([...legacy, "--legacy"], textOf("legacyText")),
    ]);
    for (const { out, status } of [without, other]) {
      expect(status).toBe(1);
      expect(out).toMatch(/unknown {3}settled \(nobody\)\n {4}nobody vouches for block \d+\n/);
    }
    expect(by.status).toBe(0);
    expect(by.out).toMatch(/asserted {2}settled \(witness, block \d+\)/);
    expect([strict.status, taken.status]).toEqual([1, 0]);
    expect(strict.out).toMatch(/not verified, for: contract, request, model\n$/);
    expect(taken.out.replaceAll(/\s+/g, " ")).toContain("Not covered are chain, contract");
    const { out } = await haca(["receipt", "show", "-"], textOf("legacyText"));
    expect(out).toContain("profile\n    legacy\n");
  });

  it("refutes what is no receipt, in one line of the list", async () => {
    const text = `${textOf("zkml")}\n`;
    const { status, out, err } = await haca(["receipt", "verify", "-", ...pins], text);
    expect([status, err]).toEqual([1, ""]);
    expect(out).toMatch(
      /^receipt none\nrefuted {3}form \(own computation\)\n {4}receipt: is not in its/,
    );
    expect(out).toMatch(/not verified, for: form, contract, time, /);
  });

  it("ends with 2 for a wrong argument, which it names", async () => {
    const cases: readonly (readonly [string[], RegExp])[] = [
      [["receipt", "verify", "x", "--pin", "y"], /unknown option '--pin'/],
      [["receipt", "verify", "no/such"], /^no\/such: there is no such file\n$/],
      [["receipt", "verify", "x", "--demand", "all"], /--demand: all is no line; there are form, /],
      [
        ["receipt", "verify", "x", "--pins", write("wrong.json", '{"image":[]}')],
        /wrong\.json: pins: unknown field "image"\n$/,
      ],
    ];
    const ended = await Promise.all(cases.map(([args]) => haca(args)));
    for (const [index, { status, out, err }] of ended.entries()) {
      expect([status, out]).toEqual([2, ""]);
      expect(err).toMatch(cases[index]?.[1] ?? "");
      expect(err).not.toMatch(/^ {4}at /m);
    }
  });
});

it("refuses a time and an address that are none, by name", async () => {
  const verifying = (options: VerifyArguments) =>
    verifyFile("x", { ...options, isColoured: false });
  await expect(verifying({ now: "today" })).rejects.toThrow(
    "--now: must be unix seconds, got today",
  );
  await expect(verifying({ blockHash: ["0x12"] })).rejects.toThrow("--block-hash: must be 0x and");
  await expect(verifying({ rpc: ["ftp://x"] })).rejects.toThrow("--rpc: must be an address");
});

describe("haca receipt show", () => {
  it("says what a receipt says, a stranger's control characters by their numbers", async () => {
    const receipt = makeReceipt({
      core: receiptOf("zkml").core,
      hints: { "\u001b[31m": "a\u202e\u0007" },
    });
    const { status, out } = await haca(["receipt", "show", "-"], serialiseReceipt(receipt));
    expect(status).toBe(0);
    expect(out).toContain("\nchain\n    31337\n");
    expect(out).toContain("hint \\u{1b}[31m\n    a\\u{202e}\\u{7}\n");
    expect(out).toMatch(/nothing of this was checked: haca receipt verify\n$/);
  });

  it("refuses what is no receipt, in one line", async () => {
    const { status, out, err } = await haca(["receipt", "show", "-"], "{}");
    expect([status, out, err]).toEqual([1, "", "receipt: the field mediaType is missing\n"]);
  });
});

it("cuts what is too long for a line between characters", () => {
  expect(wrapped("😀".repeat(77))).toEqual([`    ${"😀".repeat(76)}`, "    😀"]);
});

it("colours for people at a terminal alone, and not where NO_COLOR is set", () => {
  const lines = [lineOf("form", "refuted", "no")];
  expect(isColoured({ isTTY: true }, {})).toBe(true);
  expect(isColoured({ isTTY: true }, { NO_COLOR: "1" })).toBe(false);
  expect(isColoured({ isTTY: true }, { NO_COLOR: "" })).toBe(true);
  expect(isColoured({}, {})).toBe(false);
  expect(printLines(lines, { isColoured: true })[0]).toContain("\u001b[31mrefuted");
  expect(printLines(lines, { isColoured: false })[0]).toMatch(/^refuted {3}form/);
});
