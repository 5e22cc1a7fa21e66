import { generateP384Hints } from "../generateP384Hints.ts";
import { certificateIds, parseCertificate } from "./parseCertificate.ts";
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
  const ids = certificateIds(chain);
  const certificates = chain.map(parseCertificate);
  const hints: Uint8Array[] = [];
  for (const [i, certificate] of certificates.entries()) {
    const parent = certificates[i - 1];
    if (parent === undefined) continue;
    const isStored = await parameters.isStored?.(ids[i] ?? "");
    hints.push(
      isStored
        ? new Uint8Array()
        : generateP384Hints({
            message: certificate.tbs,
            publicKey: parent.publicKey,
            signature: certificate.signature,
          }),
    );
  }
  const signer = certificates.at(-1);
  if (signer !== undefined) {
    hints.push(
      generateP384Hints({
        message: document.signedMessage,
        publicKey: signer.publicKey,
        signature: document.signature,
      }),
    );
  }
  return hints;
}
