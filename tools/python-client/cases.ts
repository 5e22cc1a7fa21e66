/**
 * What the Python client is compared with: verdicts of the contracts and lines of the TypeScript verifier, written to the file that
 * is named.
 */
import { writeFileSync } from "node:fs";
import { measurementsOf } from "@haca/enclave-simulator/measurementsOf";
import { makeSimulatedChain } from "@haca/enclave-simulator/simulatedChain";
import { SimulatedEnclave } from "@haca/enclave-simulator/simulatedEnclave";
import { reportFailure } from "../../scripts/lib/reportFailure.ts";
import { seededRandom } from "../../test/contracts/utils/seededRandom.ts";
import { judgeByContracts } from "./contractVerdicts.ts";
import { documentCases } from "./documentCases.ts";
import { proofCases } from "./proofCases.ts";
import { receiptCases } from "./receiptCases.ts";
import { signatureCases } from "./signatureCases.ts";

const IS_DEEP = process.env.HACA_DEEP === "1";
/** Mutated proofs and signatures are 40 by default and 2,000 in the deep run. */
const COUNTS = IS_DEEP
  ? { proofs: 500, signatures: 1500, receipts: 400 }
  : { proofs: 12, signatures: 36, receipts: 16 };
const NOW = 1_900_000_000n;

async function main(): Promise<void> {
  const [path] = process.argv.slice(2);
  if (path === undefined) throw new Error("the file that is to be written has to be named");
  const chain = makeSimulatedChain({ now: NOW });
  const enclaveOf = (kind: "rsa" | "p256" | "secp256k1", modulusLength = 2048): SimulatedEnclave =>
    new SimulatedEnclave({
      ...{ chain, measurements: measurementsOf("image"), kind, now: NOW, modulusLength },
    });
  const enclaves = {
    ...{ rsa: enclaveOf("rsa"), p256: enclaveOf("p256"), secp256k1: enclaveOf("secp256k1") },
    // Of a size that the contracts do not take.
    oddRsa: enclaveOf("rsa", 2056),
  };
  const random = seededRandom("python client");
  const cases = {
    proofs: proofCases({ count: COUNTS.proofs, random }),
    signatures: await signatureCases({ count: COUNTS.signatures, random, enclaves }),
  };
  const judged = await judgeByContracts(cases);
  const whole = {
    ...judged,
    documents: await documentCases({ random, now: NOW, isDeep: IS_DEEP }),
    receipts: await receiptCases({ count: COUNTS.receipts, random }),
  };
  writeFileSync(path, JSON.stringify(whole));
}

await main().catch(reportFailure);
