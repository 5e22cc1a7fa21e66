import { execPath, platform } from "node:process";
import { expect, it } from "vitest";
import { peakOfProgram, timeProgram } from "./runProgram.ts";

const MEBIBYTE = 1024 * 1024;

it.runIf(platform === "linux")("sees the memory that a program takes", async () => {
  // Works on it for a while, as a prover does.
  const source = `const b = Buffer.alloc(200 * ${MEBIBYTE}); for (let i = 0; i < 20; i += 1) b.fill(i);`;
  const peak = await peakOfProgram({ program: execPath, parameters: ["-e", source] });
  expect(peak).toBeGreaterThan(200 * MEBIBYTE);
  expect(peak).toBeLessThan(600 * MEBIBYTE);
});

it("names the signal that ended a program", async () => {
  const call = { program: "/bin/sh", parameters: ["-c", "kill -9 $$"] };
  await expect(timeProgram(call)).rejects.toThrow("/bin/sh ended with SIGKILL");
});

it("fails with a program that cannot be started", async () => {
  const call = { program: "/nowhere/program", parameters: [] };
  await expect(timeProgram(call)).rejects.toThrow("ENOENT");
});
