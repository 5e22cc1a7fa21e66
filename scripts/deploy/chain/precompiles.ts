import { createHash } from "node:crypto";
import { concat, toBeHex } from "ethers";

/** A precompiled contract with a question whose answer is known, and what needs it. */
export type Precompile = {
  name: string;
  address: number;
  input: string;
  output: string;
  /** more than this and a contract of ours, which gives no more or has budgeted no more, fails */
  gasLimit: number;
  /** what does not work without it */
  feature: string;
  /** which parts of the deployment need it, or can do without */
  neededBy: "everything" | "attestation" | "nothing";
};

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

export const PRECOMPILES: readonly Precompile[] = [
  {
    ...{ name: "SHA-256", address: 2, gasLimit: 1_000 },
    input: "0x616263",
    output: `0x${createHash("sha256").update("abc").digest("hex")}`,
    ...{ feature: "attestation", neededBy: "attestation" },
  },
  {
    ...{ name: "MODEXP", address: 5, gasLimit: 45_000 },
    input: concat([
      words(BigInt(RSA_BYTES), 32n, BigInt(RSA_BYTES)),
      toBeHex(base, RSA_BYTES),
      words(RSA_EXPONENT),
      toBeHex(modulus, RSA_BYTES),
    ]),
    output: toBeHex(power(), RSA_BYTES),
    ...{ feature: "nodes with RSA keys", neededBy: "attestation" },
  },
  {
    ...{ name: "BN254 addition", address: 6, gasLimit: 600 },
    ...{ input: words(...G1, ...G1), output: words(...G1_TWICE) },
    ...{ feature: "settlement", neededBy: "everything" },
  },
  {
    ...{ name: "BN254 multiplication", address: 7, gasLimit: 12_300 },
    ...{ input: words(...G1, 2n), output: words(...G1_TWICE) },
    ...{ feature: "settlement", neededBy: "everything" },
  },
  {
    ...{ name: "BN254 pairing", address: 8, gasLimit: 226_300 },
    input: words(...G1, ...G2, G1[0], FIELD - G1[1], ...G2),
    output: words(1n),
    ...{ feature: "settlement", neededBy: "everything" },
  },
  {
    ...{ name: "P256VERIFY", address: 0x100, gasLimit: 10_000 },
    input: words(...Object.values(P256_SIGNATURE)),
    output: words(1n),
    feature: "nodes with P-256 keys (RSA, secp256k1 and session keys work)",
    neededBy: "nothing",
  },
];
