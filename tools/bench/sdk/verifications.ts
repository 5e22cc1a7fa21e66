import { checkPage, evidenceOf } from "@haca/sdk/checks/ofEvidence";
import { checkSignature } from "@haca/sdk/checks/ofMessage";
import { isProof } from "@haca/sdk/groth16";
import { isVerified } from "@haca/sdk/isVerified";
import type { Pins } from "@haca/sdk/pins";
import { parseReceipt } from "@haca/sdk/receipt/parseReceipt";
import { verify } from "@haca/sdk/verify";

/** What a verification is given, as plain values: it is run in Node and in a browser. */
export type Given = {
  receipt: string;
  pins: Pins;
  /** unix seconds */
  now: string;
  /** under a key for so many signals */
  proof?: { verifyingKey: string; proof: string; signals: string[] };
};

/** What is timed; throws where something is not right. */
type Verification = (given: Given) => () => Promise<void>;

function require(isRight: boolean): void {
  if (!isRight) throw new Error("what is measured does not hold");
}

const signature: Verification = ({ receipt }) => {
  const { core } = parseReceipt(receipt);
  return async () => require((await checkSignature(core)).status === "asserted");
};

const wholeReceipt: Verification = ({ now, pins, receipt }) => {
  const options = { pins, now: BigInt(now) };
  return async () => require(isVerified(await verify(receipt, options)));
};

const proof: Verification = ({ proof: given }) => {
  if (given === undefined) throw new Error("no proof");
  const of = { ...given, signals: given.signals.map(BigInt) };
  return async () => require(isProof(of));
};

const page: Verification = ({ receipt }) => {
  const found = parseReceipt(receipt);
  const pages = evidenceOf(found, "page");
  return async () => require(checkPage({ core: found.core, pages }).status === "asserted");
};

export const VERIFICATIONS = {
  teeRsa: signature,
  teeP256: signature,
  teeSecp256k1: signature,
  zkml4: proof,
  zkml256: proof,
  page,
  receiptTeeP256: wholeReceipt,
  receiptZkml: wholeReceipt,
} satisfies Record<string, Verification>;

export type VerificationName = keyof typeof VERIFICATIONS;
