import { spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDevelopmentRoot } from "../src/developmentRoot.ts";
import { makeSimulatedChain } from "../src/simulatedChain.ts";

const SOURCE = join(import.meta.dirname, "..", "src", "developmentRoot.ts");

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "haca-root-"));
  path = join(folder, "development", "enclave-root.json");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const edit = (change: (file: Record<string, unknown>) => void): void => {
  const file = JSON.parse(readFileSync(path, "utf8"));
  change(file);
  writeFileSync(path, JSON.stringify(file));
};

describe("openDevelopmentRoot", () => {
  it("takes no temporary name that a process of the same id in another container can have", () => {
    mkdirSync(`${path}.${process.pid}.tmp`, { recursive: true });
    openDevelopmentRoot(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("makes a root once, for its owner's eyes, and continues it", () => {
    const made = openDevelopmentRoot(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const content = readFileSync(path, "utf8");
    const opened = openDevelopmentRoot(path);
    expect(readFileSync(path, "utf8")).toBe(content);
    expect(opened.certificate).toEqual(made.certificate);
    expect(readdirSync(join(folder, "development"))).toEqual(["enclave-root.json"]);

    const chain = makeSimulatedChain({ now: 1_900_000_000n, root: opened });
    expect(chain.root).toEqual(made.certificate);
    const [root, region] = chain.cabundle.map((der) => new X509Certificate(der));
    expect(region?.verify(new X509Certificate(made.certificate).publicKey)).toBe(true);
    expect(region?.checkIssued(root as X509Certificate)).toBe(true);
  });

  it("gives several processes that make it at once the same root", async () => {
    const code = `import { openDevelopmentRoot } from ${JSON.stringify(SOURCE)};
      process.stdin.once("data", () => {
        const { certificate } = openDevelopmentRoot(${JSON.stringify(path)});
        console.log(Buffer.from(certificate).toString("base64"));
        process.exit();
      });
      console.log("ready");`;
    const processes = Array.from({ length: 4 }, () => {
      const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
        stdio: ["pipe", "pipe", "inherit"],
      });
      let output = "";
      const ready = new Promise<void>((resolve) => {
        child.stdout.on("data", (chunk: Buffer) => {
          output += chunk.toString();
          if (output.startsWith("ready\n")) resolve();
        });
      });
      const ended = new Promise<string>((resolve) => child.once("close", () => resolve(output)));
      return { child, ready, ended };
    });
    await Promise.all(processes.map(({ ready }) => ready));
    for (const { child } of processes) child.stdin.write("go\n");
    const outputs = await Promise.all(processes.map(({ ended }) => ended));
    const expected = Buffer.from(openDevelopmentRoot(path).certificate).toString("base64");
    expect(outputs).toEqual(outputs.map(() => `ready\n${expected}\n`));
  });

  it.each([
    ["an unknown format", (file: Record<string, unknown>) => (file.format = 2), "format: "],
    [
      "no certificate",
      (file: Record<string, unknown>) => (file.certificate = "AAAA"),
      "certificate: is no",
    ],
    [
      "no private key",
      (file: Record<string, unknown>) => (file.privateKey = "x"),
      "privateKey: is no",
    ],
    ["another name", (file: Record<string, unknown>) => (file.name = "aws"), "name: is aws"],
    ["a surplus field", (file: Record<string, unknown>) => (file.extra = 1), "extra"],
    [
      "the key of another root",
      (file: Record<string, unknown>) => {
        const other = join(folder, "other.json");
        openDevelopmentRoot(other);
        file.privateKey = JSON.parse(readFileSync(other, "utf8")).privateKey;
      },
      "privateKey: does not belong to the certificate",
    ],
  ])("refuses a file with %s and leaves it alone", (_, change, text) => {
    openDevelopmentRoot(path);
    edit(change);
    const content = readFileSync(path, "utf8");
    expect(() => openDevelopmentRoot(path)).toThrow(text);
    expect(() => openDevelopmentRoot(path)).toThrow(path);
    expect(readFileSync(path, "utf8")).toBe(content);
  });

  it("refuses half a file", () => {
    openDevelopmentRoot(path);
    writeFileSync(path, readFileSync(path, "utf8").slice(0, 100));
    expect(() => openDevelopmentRoot(path)).toThrow("file: is not JSON");
  });
});
