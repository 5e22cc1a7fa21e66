import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkKernels, checkSymbols } from "./checkSymbols.ts";
import { compileLibrary, devices } from "./compileLibrary.ts";
import { findNvcc } from "./findNvcc.ts";

const nvcc = findNvcc();
const reason = nvcc === undefined ? " (skipped: no nvcc on this machine)" : "";

test.skipIf(nvcc === undefined)(
  `the CUDA library compiles${reason}`,
  { timeout: 1_200_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "haca-cuda-"));
    try {
      const parts = await compileLibrary({
        nvcc: nvcc ?? "",
        folder,
        target: devices([80]),
      });
      expect(parts.at(-1)?.name).toBe("libhaca_cuda.so");
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

const INTERFACE = ["abi_version", "device", "key_bytes", "load", "prove", "unload"].map(
  (name) => `000000000000bcc0 T haca_cuda_${name}\n`,
);

test("a library shows its interface", () => {
  expect(() => checkSymbols(INTERFACE.join(""))).not.toThrow();
});

test("a library that lacks a function is refused", () => {
  expect(() => checkSymbols(INTERFACE.slice(1).join(""))).toThrow("lacks [haca_cuda_abi_version]");
});

test("a library that shows more is refused", () => {
  const more = [...INTERFACE, "000000000001a2a0 u _ZZNSt8__detail\n"].join("");
  expect(() => checkSymbols(more)).toThrow("shows [_ZZNSt8__detail]");
});

const kernel = (set: string) => `0000000000000670 W _ZN1${set}10accumulateI6xyzz_tE\n`;

test("stream sets have kernels of their own", () => {
  expect(() => checkKernels([kernel("a"), kernel("b")])).not.toThrow();
});

test("stream sets that share a kernel, or have none, are refused", () => {
  expect(() => checkKernels([kernel("a"), kernel("b"), kernel("a")])).toThrow(
    "two stream sets define",
  );
  expect(() => checkKernels([kernel("a"), "0000000000000670 T main\n"])).toThrow("no kernels");
});
