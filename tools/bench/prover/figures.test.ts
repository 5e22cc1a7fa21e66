import { expect, it } from "vitest";
import { figuresOf } from "./figures.ts";

const entry = (name: string, proveMs: number[], peakBytes = 0) => ({ name, proveMs, peakBytes });

it("compares programs with programs, and processes that stay with each other", () => {
  const measured = [
    entry("snarkjs", [4000, 9000, 4200]),
    entry("helper", [100, 90, 130], 3 * 1024 * 1024),
    entry("oneShot", [250, 200, 210]),
    entry("oneShot.plain", [420]),
    entry("oneShot.adx", [315]),
    entry("rapidsnark", [630, 900, 600]),
  ];
  expect(figuresOf({ measured, kind: "dense", logSize: 14 })).toEqual({
    "snarkjs.2^14.proveMs": 4200,
    "helper.2^14.proveMs": 100,
    "helper.2^14.peakMiB": 3,
    "oneShot.2^14.proveMs": 210,
    "oneShot.plain.2^14.proveMs": 420,
    "oneShot.adx.2^14.proveMs": 315,
    "rapidsnark.2^14.proveMs": 630,
    "ratio.snarkjs.2^14": 42,
    "ratio.rapidsnark.2^14": 3,
    "ratio.rapidsnark.2^14.plain": 1.5,
    "ratio.rapidsnark.2^14.adx": 2,
  });
});

it("says how many times faster the device is than the CPU", () => {
  const measured = [entry("cuda", [20]), entry("helper", [50])];
  expect(figuresOf({ measured, kind: "model", logSize: 20 })).toEqual({
    "cuda.model.2^20.proveMs": 20,
    "helper.model.2^20.proveMs": 50,
    "ratio.cuda.model.2^20": 2.5,
  });
});
