import { generateP384Hints } from "../p384/generateP384Hints.ts";
import {
  certificateIds,
  parseCertificate,
  readTbs,
  toRawSignature,
} from "../x509/parseCertificate.ts";
import { parseDocument } from "./parseDocument.ts";

/**
 * Hints for every signature that a verifier has to check for a document: the certificates from the root's child on,
 * then the document. A certificate that is stored already needs none, and gets an empty entry.
 * @param parameters.isStored asks the certificate store about an id; nothing is stored if left out
 * @throws BaseError `p384.signatureInvalid` where a signature is not valid: there are no hints for it
 */
export async function documentHints(parameters: {
  document: Uint8Array;
  isStored?: (certificateId: string) => Promise<boolean>;
}): Promise<Uint8Array[]> {
  const document = parseDocument(parameters.document);
  const chain = [...document.cabundle, document.certificate];
  const hints = await chainHints({ chain, ...parameters });
  const { publicKey } = parseCertificate(document.certificate);
  const { signedMessage: message, signature } = document;
  return [...hints, generateP384Hints({ message, publicKey, signature })];
}

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
