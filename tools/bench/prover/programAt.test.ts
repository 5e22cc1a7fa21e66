import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { programAt } from "./programAt.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "haca-program-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

it("takes a file that may be executed", () => {
  const path = join(folder, "program");
  writeFileSync(path, "");
  chmodSync(path, 0o755);
  expect(programAt({ option: "--rapidsnark", path })).toBe(path);
});

it("says what is wrong with others", () => {
  const plain = join(folder, "plain");
  writeFileSync(plain, "");
  chmodSync(plain, 0o644);
  for (const [path, why] of [
    [join(folder, "nothing"), "does not exist"],
    [folder, "not a file"],
    [plain, "may not be executed"],
  ] as const) {
    expect(() => programAt({ option: "--rapidsnark", path })).toThrow(
      `--rapidsnark ${path}: ${why}`,
    );
  }
});
