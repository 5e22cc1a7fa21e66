import { readFileSync } from "node:fs";
import { checkPage, evidenceOf } from "@haca/sdk/checks/ofEvidence";
import { checkSignature } from "@haca/sdk/checks/ofMessage";
import { isProof } from "@haca/sdk/groth16";
import { isVerified } from "@haca/sdk/isVerified";
import { parseReceipt } from "@haca/sdk/receipt/parseReceipt";
import { verify } from "@haca/sdk/verify";
import {
  makeProof,
  makeTrapdoor,
  makeVerifyingKey,
} from "../../../test/contracts/utils/groth16Simulator.ts";
import { scalarsFrom } from "../../../test/contracts/utils/randomScalars.ts";
import type { ReceiptVectors } from "../../receipts/receiptVectors.ts";

const VECTORS = new URL("../../../docs/receipts/vectors/receipts.json", import.meta.url);

/** Prepares a verification; the function that it gives is what is timed, and throws where something is not right. */
type Prepare = () => Promise<() => Promise<void>>;

const vectors = (): ReceiptVectors => JSON.parse(readFileSync(VECTORS, "utf8"));

const textIn = ({ good }: ReceiptVectors, name: string): string =>
  good.find((vector) => vector.name === name)?.receipt ?? "";

function require(isRight: boolean): void {
  if (!isRight) throw new Error("what is measured does not hold");
}

const signature =
  (name: string): Prepare =>
  async () => {
    const { core } = parseReceipt(textIn(vectors(), name));
    return async () => require((await checkSignature(core)).status === "asserted");
  };

const receipt =
  (name: string): Prepare =>
  async () => {
    const known = vectors();
    const text = textIn(known, name);
    const options = { pins: known.pins, now: BigInt(known.now) };
    return async () => require(isVerified(await verify(text, options)));
  };

const proof =
  (words: number): Prepare =>
  async () => {
    const random = scalarsFrom("bench");
    const trapdoor = makeTrapdoor({ signalCount: words + 1, random });
    const verifyingKey = makeVerifyingKey(trapdoor);
    // Words of 248 bits, as a packed tensor has them.
    const signals = Array.from({ length: words + 1 }, () => random() >> 6n);
    const made = makeProof({ trapdoor, signals, a: random(), b: random() });
    return async () => require(isProof({ verifyingKey, proof: made, signals }));
  };

const page: Prepare = async () => {
  const found = parseReceipt(textIn(vectors(), "teeP256InPage"));
  const pages = evidenceOf(found, "page");
  return async () => require(checkPage({ core: found.core, pages }).status === "asserted");
};

export const VERIFICATIONS = {
  teeRsa: signature("teeRsa"),
  teeP256: signature("teeP256"),
  teeSecp256k1: signature("teeSecp256k1"),
  zkml4: proof(4),
  zkml256: proof(256),
  page,
  receiptTeeP256: receipt("teeP256"),
  receiptZkml: receipt("zkml"),
} satisfies Record<string, Prepare>;

export type VerificationName = keyof typeof VERIFICATIONS;
