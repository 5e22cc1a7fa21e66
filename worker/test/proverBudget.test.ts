import { expect, it } from "vitest";
import { proverBudget } from "../src/prover/proverBudget.ts";

const GIB = 2 ** 30;
const budget = (changes: Partial<Parameters<typeof proverBudget>[0]>) =>
  proverBudget({
    cores: 16,
    memory: 64 * GIB,
    keys: 0,
    isNative: false,
    setting: undefined,
    ...changes,
  });

it.each<[string, Parameters<typeof budget>[0], number]>([
  ["one for each core but one", {}, 15],
  ["one on a single core", { cores: 1 }, 1],
  ["as many as half the memory has room for", { memory: 8 * GIB, keys: GIB }, 1],
  ["and no fewer than one", { memory: GIB, keys: 8 * GIB }, 1],
  ["of a container", { memory: 2 * GIB }, 4],
  ["by the size of the keys", { keys: GIB }, 9],
  ["what the operator says", { cores: 2, memory: GIB, keys: GIB, setting: 6 }, 6],
])("threads: %s", (_, changes, threads) => {
  expect(budget(changes)).toMatchObject({ threads, jobs: threads });
});

it("keeps the native prover busy with one job more than there are threads", () => {
  expect(budget({ isNative: true })).toMatchObject({ threads: 15, jobs: 16 });
  expect(budget({ isNative: true, memory: 2 * GIB })).toMatchObject({ threads: 4, jobs: 5 });
  expect(budget({ isNative: true, setting: 1 })).toMatchObject({ threads: 1, jobs: 2 });
});

it("gives the native prover's keys a quarter of the memory, within bounds", () => {
  expect(budget({ memory: 4 * GIB }).cacheMb).toBe(1_024);
  expect(budget({}).cacheMb).toBe(4_096);
  expect(budget({ memory: GIB / 16 }).cacheMb).toBe(64);
});
