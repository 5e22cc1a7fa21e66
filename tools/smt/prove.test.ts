import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { PROJECT_ROOT } from "../../scripts/lib/projectRoot.ts";
import { PROOFS } from "./proofs.ts";

const hasZ3 = spawnSync("z3", ["--version"]).status === 0;

for (const [name, { asserts, domain }] of Object.entries(PROOFS)) {
  it.skipIf(!hasZ3)(`npm run verify:${name} proves its asserts for ${domain}`, () => {
    const { status, stdout, stderr } = spawnSync("npm", ["run", "--silent", `verify:${name}`], {
      ...{ cwd: PROJECT_ROOT, encoding: "utf8" },
    });
    expect(stderr).toBe("");
    expect(stdout).toBe(`${asserts} asserts proved for ${domain}, 1 false one refuted\n`);
    expect(status).toBe(0);
  });
}
