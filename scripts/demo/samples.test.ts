import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PROJECT_ROOT } from "../lib/projectRoot.ts";
import type { IndexedSettlement } from "./querySettlements.ts";
import { describeAccuracy, reportTable } from "./reportTable.ts";
import type { Answered } from "./sendSamples.ts";
import { testSamples } from "./testSamples.ts";

const MODELS = join(PROJECT_ROOT, "models");
const models = readdirSync(MODELS).filter((name) => existsSync(join(MODELS, name, "test.json")));

describe("test samples", () => {
  it.each(models)("of %s have something that is right", (model) => {
    const samples = testSamples({ model, count: 100 });
    expect(new Set(samples.map(({ index }) => index)).size).toBe(100);
    for (const { expected, isClass } of samples) {
      expect(isClass ? Number.isInteger(expected) : Number.isFinite(expected)).toBe(true);
    }
  });

  it("are not more than there are", () => {
    expect(() => testSamples({ model: "breast-cancer", count: 151 })).toThrow(
      /150 samples and 150 labels, 151 are needed/,
    );
  });
});

describe("the demo's table", () => {
  const sent = (answer: number, expected: number, isClass: boolean): Answered => ({
    ...{ index: 3, values: [1, -2], requestId: "0x01", latencyMs: 1, answer, expected, isClass },
  });
  const indexed = (outputs: string[][], label: number | null): IndexedSettlement => ({
    ...{ requestId: "0x01", inputs: [["1", "-2"]], outputs, label, state: "settled" },
    ...{ verification: "zkml", batched: false, pageId: null, verified: true },
    ...{ transactionHash: "0x02", gasUsed: "1", blockNumber: "1" },
  });
  const tableOf = (answered: Answered, settlement: IndexedSettlement) =>
    reportTable({ settlements: [settlement], answered: [answered], jobs: [], scaleExponent: -2 });

  it("compares classes with the chain's", () => {
    const row = indexed([["9", "8"], ["4"]], 4);
    expect(tableOf(sent(4, 7, true), row)).toMatchObject({
      ...{ allCorrect: true, text: expect.stringMatching(/sample 3 +4 +7 /) },
    });
    expect(tableOf(sent(5, 7, true), row).allCorrect).toBe(false);
  });

  it("compares numbers with the chain's, in the model's units", () => {
    const row = indexed([["731"]], null);
    expect(tableOf(sent(182.75, 190, false), row)).toMatchObject({
      ...{ allCorrect: true, text: expect.stringMatching(/sample 3 +182\.75 +190\.00 /) },
    });
    expect(tableOf(sent(182.5, 190, false), row).allCorrect).toBe(false);
  });

  it("says how right the answers were", () => {
    expect(describeAccuracy([sent(4, 4, true), sent(4, 7, true)])).toBe(
      "1 of 2 labels are the expected ones",
    );
    expect(describeAccuracy([sent(3, 0, false), sent(0, 4, false)])).toBe(
      "answers are 3.54 from the expected numbers (root mean square)",
    );
  });
});
