import { parseCertificate } from "@haca/attestation/document/parseCertificate";
import { BaseError } from "@haca/protocol/baseError";
import { hexlify } from "ethers";
import { printable } from "../../lib/printable.ts";
import type { Action } from "./action.ts";
import { readViewAt } from "./readView.ts";
import { readFileOf, subjectOf } from "./rootFile.ts";
import { currentVerifier } from "./rotateRoot.ts";
import { refuse } from "./teeRegistry.ts";
import { CERTIFICATES_VIEW, STORE } from "./verifierPair.ts";

/** By the certificate itself, so that the issuer's name is the very bytes by which the store knows it. */
export const revokeCertificate: Action = {
  name: "revoke-certificate",
  usage: "<file.der>",
  summary: "revokes a certificate of the attestations for good",
  by: "guardian",
  build: async (context) => {
    const { provider, values } = context;
    const path = values.text("file");
    const der = readFileOf(path);
    const { issuer, subject, serial } = parse(path, der);
    // A root is issued by itself: without it every node and all history would be lost for good.
    if (hexlify(issuer) === hexlify(subject)) {
      throw refuse(`${path} is a root certificate, which a proposal replaces: rotate-root`);
    }
    // The store that the registry goes by, which after a rotation need not be the address book's.
    const verifier = await currentVerifier(context);
    const store: string = await readViewAt(provider, verifier, CERTIFICATES_VIEW);
    const keyView =
      "function computeRevocationKey(bytes issuer, uint256 serial) view returns (bytes32)";
    const key: string = await readViewAt(provider, store, keyView, issuer, serial);
    const view = "function isRevoked(bytes32 revocationKey) view returns (bool)";
    if (await readViewAt(provider, store, view, key)) {
      throw refuse(`the certificate in ${path} is revoked already`);
    }
    const words = `${printable(subjectOf(der))}, serial ${serial.toString(16)}`;
    return {
      calls: [
        {
          contract: STORE,
          target: store,
          fragment: "function revoke(bytes issuer, uint256 serial)",
          arguments: [hexlify(issuer), serial],
          words: `certificate ${words}: trusted -> revoked for good; every node whose attestation it or one below it signed is inactive`,
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
