import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LOCAL_MODEL, RUNTIME } from "@haca/gateway/localModel/localModel";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkOptions, storiesOf } from "./options.ts";

describe("checkOptions", () => {
  const given = { count: "10", model: "digits", keep: false, chat: false };

  it("takes what is there", () => {
    expect(checkOptions(given)).toEqual({ ...given, count: 10 });
  });

  it.each([["0"], ["-1"], ["1.5"], ["101"], ["ten"], [""]])("refuses --count %j", (count) => {
    expect(() => checkOptions({ ...given, count })).toThrow(/--count must be an integer/);
  });

  it.each([["nothing-there"], ["../digits"], ["Digits"], [""]])("refuses --model %j", (model) => {
    expect(() => checkOptions({ ...given, model })).toThrow(/--model .*there is no/);
  });
});

describe("storiesOf", () => {
  let full: string;
  let empty: string;
  beforeAll(() => {
    [full, empty] = [0, 1].map(() => mkdtempSync(join(tmpdir(), "haca-demo-"))) as [string, string];
    mkdirSync(join(full, "node_modules", RUNTIME.name), { recursive: true });
    writeFileSync(join(full, LOCAL_MODEL.file), "");
  });
  afterAll(() => {
    for (const folder of [full, empty]) rmSync(folder, { recursive: true });
  });

  it("tells both where the local model is, and chat alone where that was asked for", () => {
    expect(storiesOf({ chat: false, modelFolder: full })).toEqual({
      ...{ chat: true, proofs: true, note: undefined },
    });
    expect(storiesOf({ chat: true, modelFolder: full })).toMatchObject({
      ...{ chat: true, proofs: false },
    });
  });

  it("without it leaves chat out and says how to get it, or refuses --chat", () => {
    expect(storiesOf({ chat: false, modelFolder: empty })).toEqual({
      ...{ chat: false, proofs: true, note: expect.stringContaining("local-model") },
    });
    expect(() => storiesOf({ chat: true, modelFolder: empty })).toThrow(/--chat: .*local-model/);
  });
});
