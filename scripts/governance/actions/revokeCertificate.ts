import { parseCertificate } from "@haca/attestation/x509/parseCertificate";
import { BaseError } from "@haca/protocol/baseError";
import { hexlify } from "ethers";
import type { ContractOf } from "../../lib/contracts.ts";
import { printable } from "../../lib/words.ts";
import type { Action, ActionContext } from "./action.ts";
import { readFileOf, subjectOf } from "./rootFile.ts";
import { currentVerifier } from "./rotateRoot.ts";
import { refuse } from "./teeRegistry.ts";
import { STORE, storeOf } from "./verifierPair.ts";

const CONSEQUENCE =
  "trusted -> revoked for good; every node whose attestation it or one below it signed is inactive";

/** The store that the registry goes by, which after a rotation need not be the address book's. */
async function currentStore(context: ActionContext): Promise<ContractOf<typeof STORE>> {
  return await storeOf(context.provider, await currentVerifier(context));
}

/** What is stored is revoked by its id, so that no spelling of its issuer's name can miss it. */
function revokeStored(parameters: {
  name: string;
  summary: string;
  function: "revokeCertificate" | "revokeKey";
  what: string;
}): Action {
  return {
    name: parameters.name,
    usage: "<certificate id>",
    summary: parameters.summary,
    by: "guardian",
    functions: [`CertificateStore.${parameters.function}(bytes32)`],
    build: async (context) => {
      const id = context.values.bytes("certificate id", 32);
      const store = await currentStore(context);
      if (!(await store.isStored(id))) {
        throw refuse(
          `the store knows no certificate ${id}; npm run tee -- verify prints the ids of a document, and revoke-unseen-certificate takes one that no document has brought yet`,
        );
      }
      if ((await store.rootId()) === id) {
        throw refuse("that is the root, which a proposal replaces: rotate-root");
      }
      return {
        calls: [
          {
            contract: STORE,
            target: store.target,
            fragment: `function ${parameters.function}(bytes32 id)`,
            arguments: [id],
            words: `${parameters.what} ${id}: ${CONSEQUENCE}`,
          },
        ],
      };
    },
  };
}

export const revokeCertificate: Action = revokeStored({
  name: "revoke-certificate",
  summary: "revokes a stored certificate of the attestations for good",
  function: "revokeCertificate",
  what: "certificate",
});

export const revokeKey: Action = revokeStored({
  name: "revoke-key",
  summary: "revokes every certificate of a stored certificate's key for good",
  function: "revokeKey",
  what: "the public key of certificate",
});

export const revokeUnseenCertificate: Action = {
  name: "revoke-unseen-certificate",
  usage: "<file.der>",
  summary: "revokes a certificate that no document has brought yet",
  by: "guardian",
  functions: ["CertificateStore.revokeUnseen(bytes,uint256)"],
  build: async (context) => {
    const path = context.values.text("file");
    const der = readFileOf(path);
    const { issuer, subject, serial } = parse(path, der);
    // A root is issued by itself: without it every node and all history would be lost for good.
    if (hexlify(issuer) === hexlify(subject)) {
      throw refuse(`${path} is a root certificate, which a proposal replaces: rotate-root`);
    }
    const store = await currentStore(context);
    if (await store.isRevoked(await store.computeRevocationKey(issuer, serial))) {
      throw refuse(`the certificate in ${path} is revoked already`);
    }
    const words = `${printable(subjectOf(der))}, serial ${serial.toString(16)}`;
    return {
      calls: [
        {
          contract: STORE,
          target: store.target,
          fragment: "function revokeUnseen(bytes issuer, uint256 serial)",
          arguments: [hexlify(issuer), serial],
          words: `certificate ${words}: ${CONSEQUENCE}`,
        },
      ],
    };
  },
};

function parse(path: string, der: Buffer): ReturnType<typeof parseCertificate> {
  try {
    return parseCertificate(der);
  } catch (cause) {
    const reason = cause instanceof BaseError ? cause.message : "unreadable";
    throw refuse(`${path} is no certificate in DER (${reason})`);
  }
}
