import { generateP384Hints } from "../p384/generateP384Hints.ts";
import { chainHints } from "../x509/chainHints.ts";
import { parseCertificate } from "../x509/parseCertificate.ts";
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
