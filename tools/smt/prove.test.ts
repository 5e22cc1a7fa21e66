import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";
import { PROOFS } from "./proofs.ts";

const hasZ3 = spawnSync("z3", ["--version"]).status === 0;

for (const [name, { asserts, domain }] of Object.entries(PROOFS)) {
  it.skipIf(!hasZ3)(`npm run verify:${name} proves its asserts for ${domain}`, () => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(import.meta.dirname, `${name}.ts`)],
      { encoding: "utf8" },
    );
    expect(stderr).toBe("");
    expect(stdout).toBe(`${asserts} asserts proved for ${domain}, 1 false one refuted\n`);
    expect(status).toBe(0);
  });
}
