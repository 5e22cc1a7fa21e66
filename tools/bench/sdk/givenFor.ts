import { readFileSync } from "node:fs";
import {
  makeProof,
  makeTrapdoor,
  makeVerifyingKey,
} from "../../../test/contracts/utils/groth16Simulator.ts";
import { scalarsFrom } from "../../../test/contracts/utils/randomScalars.ts";
import type { ReceiptVectors } from "../../receipts/receiptVectors.ts";
import type { Given, VerificationName } from "./verifications.ts";

/** What each is given: the name of a receipt in the vectors, or how many words a proof is about. */
const SOURCES: Record<VerificationName, string | number> = {
  ...{ teeRsa: "teeRsa", teeP256: "teeP256", teeSecp256k1: "teeSecp256k1" },
  ...{ zkml4: 4, zkml256: 256, page: "teeP256InPage" },
  ...{ receiptTeeP256: "teeP256", receiptZkml: "zkml" },
};

const VECTORS: ReceiptVectors = JSON.parse(
  readFileSync(new URL("../../../docs/receipts/vectors/receipts.json", import.meta.url), "utf8"),
);

const receiptNamed = (name: string): string =>
  VECTORS.good.find((vector) => vector.name === name)?.receipt ?? "";

export function givenFor(name: VerificationName): Given {
  const { now, pins } = VECTORS;
  const source = SOURCES[name];
  if (typeof source === "string") return { receipt: receiptNamed(source), pins, now };
  return { receipt: "", pins, now, proof: proofOf(source) };
}

function proofOf(words: number): NonNullable<Given["proof"]> {
  const random = scalarsFrom("bench");
  const trapdoor = makeTrapdoor({ signalCount: words + 1, random });
  // Words of 248 bits, as a packed tensor has them.
  const signals = Array.from({ length: words + 1 }, () => random() >> 6n);
  return {
    verifyingKey: makeVerifyingKey(trapdoor),
    proof: makeProof({ trapdoor, signals, a: random(), b: random() }),
    signals: signals.map(String),
  };
}
