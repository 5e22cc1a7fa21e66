import { dataLength, dataSlice } from "ethers";
import { describe, expect, it } from "vitest";
import { encodeProof, encodeVerifyingKey } from "../src/groth16.ts";
import { catchError } from "./catchError.ts";

const G1 = (n: number) => [String(n), String(n + 1), "1"];
const G2 = (n: number) => [
  [String(n), String(n + 1)],
  [String(n + 2), String(n + 3)],
  ["1", "0"],
];
const PROOF = { pi_a: G1(1), pi_b: G2(3), pi_c: G1(7) };
const KEY = {
  nPublic: 1,
  vk_alpha_1: G1(1),
  vk_beta_2: G2(3),
  vk_gamma_2: G2(7),
  vk_delta_2: G2(11),
  IC: [G1(15), G1(17)],
};

const coordinates = (data: string): bigint[] =>
  Array.from({ length: dataLength(data) / 32 }, (_, i) =>
    BigInt(dataSlice(data, 32 * i, 32 * i + 32)),
  );

describe("encodeProof", () => {
  it("writes A, B with imaginary parts first, C", () => {
    expect(coordinates(encodeProof(PROOF))).toEqual([1n, 2n, 4n, 3n, 6n, 5n, 7n, 8n]);
  });

  it("names the coordinate that is missing or malformed", () => {
    for (const [proof, field] of [
      [{ ...PROOF, pi_a: ["1"] }, "pi_a.y"],
      [{ ...PROOF, pi_a: ["0x1", "2"] }, "pi_a.x"],
      [{ ...PROOF, pi_b: [["1", "2"]] }, "pi_b.y.im"],
      [{ ...PROOF, pi_c: ["-1", "2"] }, "pi_c.x"],
    ] as const) {
      const error = catchError(() => encodeProof(proof));
      expect(error.code).toBe("groth16.pointMalformed");
      expect(error.message).toContain(field);
    }
  });
});

describe("encodeVerifyingKey", () => {
  it("writes alpha, beta, gamma, delta, IC", () => {
    expect(coordinates(encodeVerifyingKey(KEY))).toEqual(
      [1, 2, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 15, 16, 17, 18].map(BigInt),
    );
  });

  it("refuses a wrong number of IC points", () => {
    const error = catchError(() => encodeVerifyingKey({ ...KEY, nPublic: 2 }));
    expect(error.code).toBe("groth16.icLength");
  });
});
