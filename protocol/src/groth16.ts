import { concat, toBeHex } from "ethers";
import { BaseError } from "./baseError.ts";

/** A projective point as snarkjs writes it: decimal strings, `z` = 1 for affine points. */
type G1Json = readonly string[];
type G2Json = readonly (readonly string[])[];

/** `proof.json` of snarkjs. */
export type Groth16ProofJson = { pi_a: G1Json; pi_b: G2Json; pi_c: G1Json };

/** `verification_key.json` of snarkjs, as far as the contracts need it. */
export type VerifyingKeyJson = {
  nPublic: number;
  vk_alpha_1: G1Json;
  vk_beta_2: G2Json;
  vk_gamma_2: G2Json;
  vk_delta_2: G2Json;
  IC: readonly G1Json[];
};

const word = (decimal: string | undefined, field: string): string => {
  if (decimal === undefined || !/^\d+$/.test(decimal)) {
    throw new BaseError({
      code: "groth16.pointMalformed",
      message: `${field} is not a decimal coordinate: ${JSON.stringify(decimal)}`,
    });
  }
  return toBeHex(BigInt(decimal), 32);
};

const g1 = (point: G1Json, field: string): string =>
  concat([word(point[0], `${field}.x`), word(point[1], `${field}.y`)]);

/** The pairing precompile reads the imaginary part first; snarkjs writes the real part first. */
const g2 = (point: G2Json, field: string): string =>
  concat([
    word(point[0]?.[1], `${field}.x.im`),
    word(point[0]?.[0], `${field}.x.re`),
    word(point[1]?.[1], `${field}.y.im`),
    word(point[1]?.[0], `${field}.y.re`),
  ]);

/** `A (64) | B (128) | C (64)`: the proof as the contracts read it, 256 bytes of hex. */
export function encodeProof(proof: Groth16ProofJson): string {
  return concat([g1(proof.pi_a, "pi_a"), g2(proof.pi_b, "pi_b"), g1(proof.pi_c, "pi_c")]);
}

/** `alpha1 | beta2 | gamma2 | delta2 | IC[0..n]`: the verifying key as the registry stores it. */
export function encodeVerifyingKey(key: VerifyingKeyJson): string {
  if (key.IC.length !== key.nPublic + 1) {
    throw new BaseError({
      code: "groth16.icLength",
      message: `IC must have nPublic + 1 = ${key.nPublic + 1} points, got ${key.IC.length}`,
    });
  }
  return concat([
    g1(key.vk_alpha_1, "vk_alpha_1"),
    g2(key.vk_beta_2, "vk_beta_2"),
    g2(key.vk_gamma_2, "vk_gamma_2"),
    g2(key.vk_delta_2, "vk_delta_2"),
    ...key.IC.map((point, index) => g1(point, `IC[${index}]`)),
  ]);
}
