import type { HardhatEthers } from "@nomicfoundation/hardhat-ethers/types";
import type { BytesLike } from "ethers";
import { deployMock, type MockFunction } from "./deployMock.ts";

type Pair = [high: bigint, low: bigint];
type Two = [...Pair, ...Pair];
type Three = [...Two, ...Pair];

/** `P384Scalars.Equation`. */
export type ScalarEquation = {
  aLow: bigint;
  aHigh: bigint;
  bHigh: bigint;
  bLow: bigint;
  c: bigint;
  dHigh: bigint;
  dLow: bigint;
  qHigh: bigint;
  qLow: bigint;
};

/** The attestation libraries behind a contract of the tests. Field elements are (high word, low word). */
export async function deployAttestationHarness(ethers: HardhatEthers) {
  const contract = await deployMock(ethers, "AttestationHarness");
  const call = (name: MockFunction<"AttestationHarness">, ...parameters: unknown[]) =>
    contract.getFunction(name).staticCall(...parameters);
  return {
    contract,
    hash: (data: Uint8Array): Promise<string> => call("hash", data),
    hashTwice: (first: Uint8Array, second: Uint8Array): Promise<string[]> =>
      call("hashTwice", first, second),
    multiply: (...words: Two): Promise<Pair> => call("multiply", ...words),
    square: (...words: Pair): Promise<Pair> => call("square", ...words),
    add: (...words: Two): Promise<Pair> => call("add", ...words),
    subtract: (...words: Two): Promise<Pair> => call("subtract", ...words),
    subtractTwo: (...words: Three): Promise<Pair> => call("subtractTwo", ...words),
    isMultiple: (...words: Pair): Promise<boolean> => call("isMultiple", ...words),
    isZero: (...words: Pair): Promise<boolean> => call("isZero", ...words),
    holds: (equation: ScalarEquation): Promise<boolean> => call("holds", equation),
    isSupportedModulus: (modulus: Uint8Array): Promise<boolean> =>
      call("isSupportedModulus", modulus),
    isValidPss: (modulus: BytesLike, digest: BytesLike, signature: BytesLike): Promise<boolean> =>
      call("isValidPss", modulus, digest, signature),
  };
}

export type AttestationHarness = Awaited<ReturnType<typeof deployAttestationHarness>>;
