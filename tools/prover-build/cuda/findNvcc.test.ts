import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findNvcc } from "./findNvcc.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "haca-nvcc-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function home(name: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, "bin"), { recursive: true });
  writeFileSync(join(path, "bin", "nvcc"), "");
  return path;
}

test("there may be none", () => {
  const environment = { CUDA_HOME: join(folder, "gone"), PATH: `:${folder}` };
  const [usualHome, wheelsHome] = [join(folder, "none"), join(folder, "no-wheels")];
  expect(findNvcc({ environment, usualHome, wheelsHome })).toBeUndefined();
});

test("CUDA_HOME goes before the PATH, the PATH before the usual place, that before packages", () => {
  const [chosen, onPath, usualHome] = [home("chosen"), home("path"), home("usual")];
  const wheelsHome = home("wheels");
  const PATH = join(onPath, "bin");
  const nvcc = (from: string) => join(from, "bin", "nvcc");
  expect(findNvcc({ environment: { CUDA_HOME: chosen, PATH }, usualHome })).toBe(nvcc(chosen));
  expect(findNvcc({ environment: { CUDA_HOME: "", PATH }, usualHome })).toBe(nvcc(onPath));
  expect(findNvcc({ environment: {}, usualHome, wheelsHome })).toBe(nvcc(usualHome));
  expect(findNvcc({ environment: {}, usualHome: folder, wheelsHome })).toBe(nvcc(wheelsHome));
});
