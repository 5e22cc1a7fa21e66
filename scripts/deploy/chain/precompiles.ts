import { createHash } from "node:crypto";
import { computeAddress, concat, SigningKey, toBeHex } from "ethers";

/** A question to a precompiled contract, and what it has to answer. */
export type Question = {
  input: string;
  /** bytes of the answer, none of them where nothing is to come; "fails" where the call itself has to */
  answer: string;
};

/** A precompiled contract with questions whose answers are known, and what needs it. */
export type Precompile = {
  name: string;
  address: number;
  /** the first with an answer, by which the price is measured; then what it must not take for right */
  questions: readonly [Question, ...Question[]];
  /** more than this and a contract of ours, which gives no more or has budgeted no more, fails */
  gasLimit: number;
  /** what does not work without it */
  feature: string;
  /** what still does, where the deployment can do without */
  alternative?: string;
  /** which part of the deployment, or which contract if it is there, cannot do without */
  neededBy: "everything" | "attestation" | "PageSettlement";
};

export const FAILS = "fails";
export const NOTHING = "0x";

const words = (...values: (bigint | string)[]): string =>
  concat(values.map((value) => toBeHex(value, 32)));

const FIELD = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;

/** BN254's generators, as EIP-197 writes them; twice the first one. */
const G1 = [1n, 2n] as const;
const G1_TWICE = [
  0x030644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd3n,
  0x15ed738c0e0a7c92e7845f96b2ae9c0a68a6a449e3538fc7ff3ebf7a5a18a2c4n,
] as const;
const G2 = [
  0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2n,
  0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6edn,
  0x090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975bn,
  0x12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daan,
] as const;
/** A point of the twist, x = 2 + i, that is not in the subgroup: EIP-197 refuses it. */
const OUTSIDE_G2 = [
  1n,
  2n,
  0x2b76c179599bb92a963dac85546a005a777f7c13f6a7b75d5918b6b5808f5fden,
  0x101f7278419308b95099eca02dcee0c5381f4d26d1d62313f057167f064101cen,
] as const;

/** RFC 6979, A.2.5: P-256 with SHA-256, message "sample". */
export const P256_SIGNATURE = {
  digest: `0x${createHash("sha256").update("sample").digest("hex")}`,
  r: "0xefd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
  s: "0xf7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
  x: "0x60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
  y: "0x7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
} as const;

const RSA_BYTES = 256;
const RSA_EXPONENT = 65_537n;
const base = (1n << 2047n) - 1n;
const modulus = (1n << 2048n) - 159n;

/** base ** exponent mod modulus, all bits of which matter. */
function power(): bigint {
  let result = base;
  // 65537 = 2^16 + 1
  for (let bit = 0; bit < 16; bit += 1) result = (result * result) % modulus;
  return (result * base) % modulus;
}

/** secp256k1: a signature that ecrecover knows the signer of, and one of nobody. */
function recoveryQuestions(): [Question, Question] {
  const { digest } = P256_SIGNATURE;
  const key = new SigningKey(P256_SIGNATURE.x);
  const { r, s, v } = key.sign(digest);
  return [
    {
      input: words(digest, BigInt(v), r, s),
      answer: words(BigInt(computeAddress(key))),
    },
    { input: words(digest, BigInt(v), r, 0n), answer: NOTHING },
  ];
}

/** A point's y, changed: not on the curve. */
const OFF_CURVE = [G1[0], G1[1] + 1n] as const;
const PAIR = [...G1, ...G2] as const;

export const PRECOMPILES: readonly Precompile[] = [
  {
    ...{ name: "ECRECOVER", address: 1, gasLimit: 6_000 },
    questions: recoveryQuestions(),
    ...{ feature: "signatures of nodes", neededBy: "everything" },
  },
  {
    ...{ name: "SHA-256", address: 2, gasLimit: 1_000 },
    questions: [
      { input: "0x616263", answer: `0x${createHash("sha256").update("abc").digest("hex")}` },
    ],
    ...{ feature: "attestation", neededBy: "attestation" },
  },
  {
    ...{ name: "MODEXP", address: 5, gasLimit: 45_000 },
    questions: [
      {
        input: concat([
          words(BigInt(RSA_BYTES), 32n, BigInt(RSA_BYTES)),
          toBeHex(base, RSA_BYTES),
          words(RSA_EXPONENT),
          toBeHex(modulus, RSA_BYTES),
        ]),
        answer: toBeHex(power(), RSA_BYTES),
      },
    ],
    ...{ feature: "nodes with RSA keys", neededBy: "attestation" },
  },
  {
    ...{ name: "BN254 addition", address: 6, gasLimit: 600 },
    questions: [
      { input: words(...G1, ...G1), answer: words(...G1_TWICE) },
      { input: words(...G1, ...OFF_CURVE), answer: FAILS },
    ],
    ...{ feature: "settlement of proofs", neededBy: "everything" },
  },
  {
    ...{ name: "BN254 multiplication", address: 7, gasLimit: 12_300 },
    questions: [
      { input: words(...G1, 2n), answer: words(...G1_TWICE) },
      { input: words(...OFF_CURVE, 2n), answer: FAILS },
    ],
    ...{ feature: "settlement of proofs", neededBy: "everything" },
  },
  {
    ...{ name: "BN254 pairing", address: 8, gasLimit: 226_300 },
    questions: [
      { input: words(...PAIR, G1[0], FIELD - G1[1], ...G2), answer: words(1n) },
      { input: words(...PAIR, ...PAIR), answer: words(0n) },
      { input: words(...OFF_CURVE, ...G2), answer: FAILS },
      { input: words(...G1, ...OUTSIDE_G2), answer: FAILS },
    ],
    ...{ feature: "settlement of proofs", neededBy: "everything" },
  },
  {
    ...{ name: "P256VERIFY", address: 0x100, gasLimit: 10_000 },
    questions: [
      { input: words(...Object.values(P256_SIGNATURE)), answer: words(1n) },
      {
        input: words(...Object.values({ ...P256_SIGNATURE, digest: P256_SIGNATURE.r })),
        answer: NOTHING,
      },
    ],
    ...{ feature: "nodes with P-256 keys", alternative: "RSA, secp256k1 and session keys work" },
    neededBy: "PageSettlement",
  },
];
