import { generateP384Hints } from "../p384/generateP384Hints.ts";
import { certificateIds, parseCertificate, readTbs, toRawSignature } from "./parseCertificate.ts";

/**
 * Hints for the signatures of a chain, root first: for `CertificateStore.verifyChain`.
 * @throws BaseError `p384.signatureInvalid`
 */
export async function chainHints(parameters: {
  chain: readonly Uint8Array[];
  isStored?: (certificateId: string) => Promise<boolean>;
}): Promise<Uint8Array[]> {
  const { chain, isStored } = parameters;
  const ids = certificateIds(chain);
  const hints: Uint8Array[] = [];
  for (const [i, der] of chain.entries()) {
    const parent = chain[i - 1];
    if (parent === undefined) continue;
    if (await isStored?.(ids[i] ?? "")) {
      hints.push(new Uint8Array());
      continue;
    }
    const { publicKey } = parseCertificate(parent);
    const signature = toRawSignature(parseCertificate(der).signature);
    hints.push(generateP384Hints({ message: readTbs(der), publicKey, signature }));
  }
  return hints;
}
