import type { KnownVendor } from "@haca/attestation/vendors";
import { parseCertificate } from "@haca/attestation/x509/parseCertificate";
import { BaseError } from "@haca/protocol/baseError";
import type { ListedName } from "@haca/protocol/contracts";
import { hexlify, ZeroAddress } from "ethers";
import type { ContractOf } from "../../lib/contracts.ts";
import { verifierAt } from "../../lib/verifierAt.ts";
import { printable } from "../../lib/words.ts";
import type { Action, ActionContext } from "./action.ts";
import { readFileOf, subjectOf } from "./rootFile.ts";
import { currentVerifier, readVendor, refuse, VENDOR_USAGE } from "./teeRegistry.ts";

const CONSEQUENCE =
  "trusted -> revoked for good; every node whose attestation it or one below it signed is inactive";

type Store = { contract: ListedName; store: ContractOf<"CertificateStore"> };

/** The store that the registry goes by for a vendor's evidence, which after a rotation need not be the address book's. */
async function currentStore(context: ActionContext, vendor: KnownVendor): Promise<Store> {
  const address = await currentVerifier(context, vendor);
  if (address === ZeroAddress) throw refuse(`the registry has no verifier of ${vendor.name}`);
  const { store, vendor: actual } = await verifierAt({ address, runner: context.provider });
  if (store === undefined || actual.certificateStore === undefined) {
    throw refuse(`verifiers of ${actual.name} keep no certificates`);
  }
  return { contract: actual.certificateStore, store };
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
    usage: `${VENDOR_USAGE} <certificate id>`,
    summary: parameters.summary,
    by: "guardian",
    functions: [`CertificateStore.${parameters.function}(bytes32)`],
    build: async (context) => {
      const vendor = readVendor(context);
      const id = context.values.bytes("certificate id", 32);
      const { contract, store } = await currentStore(context, vendor);
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
            contract,
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
  usage: `${VENDOR_USAGE} <file.der>`,
  summary: "revokes a certificate that no document has brought yet",
  by: "guardian",
  functions: ["CertificateStore.revokeUnseen(bytes,uint256)"],
  build: async (context) => {
    const vendor = readVendor(context);
    const path = context.values.text("file");
    const der = readFileOf(path);
    const { issuer, subject, serial } = parse(path, der);
    // A root is issued by itself: without it every node and all history would be lost for good.
    if (hexlify(issuer) === hexlify(subject)) {
      throw refuse(`${path} is a root certificate, which a proposal replaces: rotate-root`);
    }
    const { contract, store } = await currentStore(context, vendor);
    if (await store.isRevoked(await store.computeRevocationKey(issuer, serial))) {
      throw refuse(`the certificate in ${path} is revoked already`);
    }
    const words = `${printable(subjectOf(der))}, serial ${serial.toString(16)}`;
    return {
      calls: [
        {
          contract,
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
