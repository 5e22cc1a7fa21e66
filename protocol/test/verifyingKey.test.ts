import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { VerifyingKeyJson } from "../src/groth16.ts";
import { requireSoundVerifyingKey } from "../src/verifyingKey.ts";
import { catchError } from "./catchError.ts";

type Vector = {
  name: string;
  fault: { kind: string; points: string[] } | null;
  key: VerifyingKeyJson;
};
const vectors: Vector[] = JSON.parse(
  readFileSync(new URL("../../test/vectors/verifyingKeys.json", import.meta.url), "utf8"),
);

describe("requireSoundVerifyingKey", () => {
  it.each(vectors)("judges as the contract does: $name", ({ key, fault }) => {
    if (fault === null) {
      requireSoundVerifyingKey(key);
      return;
    }
    const { code, details } = catchError(() => requireSoundVerifyingKey(key));
    expect({ code, points: details.points }).toEqual({
      code: `verifyingKey.${fault.kind}`,
      points: fault.points,
    });
  });

  it("names a point without coordinates", () => {
    const [sound] = vectors;
    const key = { ...(sound as Vector).key, vk_gamma_2: [] };
    expect(catchError(() => requireSoundVerifyingKey(key)).message).toMatch(/^gamma /);
  });
});
