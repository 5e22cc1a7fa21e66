import { chainHints } from "@haca/attestation/x509/chainHints";
import { certificateIds } from "@haca/attestation/x509/parseCertificate";
import { BaseError } from "@haca/protocol/baseError";
import { hexlify } from "ethers";
import { sendCall } from "../lib/sendCall.ts";
import { asked, type SendOptions, vendorOption } from "./options.ts";
import { readDocument } from "./readDocument.ts";
import { verifierOf } from "./teeContracts.ts";
import { withNetwork } from "./withNetwork.ts";

/** Has the certificate store verify what it does not have of a document's certificates. Anyone may. */
export async function storeCertificates(
  path: string,
  options: SendOptions & { vendor: string },
): Promise<void> {
  const { verifierId, chainOf, name } = vendorOption(options.vendor);
  const chain = chainOf(readDocument(path));
  await withNetwork(options, async ({ contracts, signer, network }) => {
    const { store } = await verifierOf({ contracts, runner: signer, verifierId });
    if (store === undefined) {
      throw new BaseError({
        code: "tee.nothingToDo",
        message: `verifiers of ${name} keep no certificates`,
      });
    }
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
