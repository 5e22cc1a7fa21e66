import { documentHints } from "@haca/attestation/nitro/documentHints";
import { MAXIMUM_AGE } from "@haca/attestation/nitro/judgeDocument";
import { nitro } from "@haca/attestation/nitro/nitro";
import { BaseError } from "@haca/protocol/baseError";
import { hexlify } from "ethers";
import { nextBlockTime } from "../lib/chainSession.ts";
import { sendCall } from "../lib/sendCall.ts";
import { isoTime } from "../lib/words.ts";
import { explainDocument } from "./explainDocument.ts";
import { asked, type SendOptions } from "./options.ts";
import { readDocument } from "./readDocument.ts";
import { nitroVerifierOf } from "./teeContracts.ts";
import { withNetwork } from "./withNetwork.ts";

/**
 * Has the verifier that is in use check a document in a transaction of its own, so that it is known when a registrar
 * registers with it, within five minutes of its making. Anyone may: it gives nobody anything.
 * Errors: `tee.refused` with every reason why the verifier would refuse, `tee.nothingToDo`.
 */
export async function submitDocument(path: string, options: SendOptions): Promise<void> {
  const document = readDocument(path);
  await withNetwork(options, async (session) => {
    const { contracts, signer, network } = session;
    const { verifier, store } = await nitroVerifierOf({ contracts, runner: signer });
    const now = await nextBlockTime(signer.provider);
    const rootFingerprint = await store.rootFingerprint();
    const result = nitro.judge({ evidence: document, now, rootFingerprint });
    const until = isoTime(result.issuedAt + MAXIMUM_AGE);
    console.log(explainDocument({ result, now }));
    if (result.errors.length > 0) {
      const reasons = result.errors.map(({ message }) => message).join("; ");
      throw new BaseError({
        code: "tee.refused",
        message: `the verifier would refuse this document: ${reasons}`,
      });
    }
    if (await verifier.isVerified(hexlify(document))) {
      throw new BaseError({
        code: "tee.nothingToDo",
        message: `the document is verified already: register with it by ${until}`,
      });
    }
    const hints = await documentHints({ document, isStored: (id) => store.isStored(id) });
    const receipt = await sendCall({
      ...{ contract: verifier, signer, name: "verify" },
      values: [hexlify(document), hints.map((hint) => hexlify(hint))],
      question: asked(options, `Send verify to ${network}?`),
    });
    if (receipt !== undefined) console.log(`verified     register with it by ${until}`);
  });
}
