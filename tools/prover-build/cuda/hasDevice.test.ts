import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hasDevice } from "./hasDevice.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "haca-device-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a driver without a device, or no driver, is no device", () => {
  for (const name of ["nvidiactl", "nvidia-uvm", "null"]) writeFileSync(join(folder, name), "");
  expect(hasDevice({ folder })).toBe(false);
  expect(hasDevice({ folder: join(folder, "gone") })).toBe(false);
});

test.each(["nvidia0", "nvidia11", "dxg"])("%s is a device", (name) => {
  writeFileSync(join(folder, name), "");
  expect(hasDevice({ folder })).toBe(true);
});
