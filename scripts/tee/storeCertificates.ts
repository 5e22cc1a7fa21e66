import { chainHints } from "@haca/attestation/nitro/documentHints";
import { parseDocument } from "@haca/attestation/nitro/parseDocument";
import { certificateIds } from "@haca/attestation/x509/parseCertificate";
import { BaseError } from "@haca/protocol/baseError";
import { hexlify } from "ethers";
import { sendCall } from "../lib/sendCall.ts";
import { asked, type SendOptions } from "./options.ts";
import { readDocument } from "./readDocument.ts";
import { withNetwork } from "./withNetwork.ts";

/** Has the certificate store verify what it does not have of a document's certificates. Anyone may. */
export async function storeCertificates(path: string, options: SendOptions): Promise<void> {
  const { cabundle, certificate } = parseDocument(readDocument(path));
  const chain = [...cabundle, certificate];
  await withNetwork(options, async ({ contracts, signer, network }) => {
    const { store } = contracts;
    const isStored = (id: string): Promise<boolean> => store.isStored(id);
    const known = await Promise.all(certificateIds(chain).slice(1).map(isStored));
    const missing = known.filter((isThere) => !isThere).length;
    if (missing === 0) {
      throw new BaseError({
        code: "tee.nothingToDo",
        message: "all certificates of the document are stored already",
      });
    }
    console.log(`certificates ${missing} of ${known.length} will be verified and stored`);
    const hints = await chainHints({ chain, isStored });
    const receipt = await sendCall({
      ...{ contract: store, signer, name: "verifyChain" },
      values: [chain.map((der) => hexlify(der)), hints.map((hint) => hexlify(hint))],
      question: asked(options, `Send verifyChain to ${network}?`),
    });
    if (receipt !== undefined) console.log(`stored       ${missing} certificates`);
  });
}
