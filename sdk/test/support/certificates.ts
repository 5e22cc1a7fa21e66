import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { makeCertificate } from "@haca/enclave-simulator/makeCertificate";
import type { TlsPair } from "@haca/enclave-simulator/simulatedEnclave";

/** Certificates that tests make as they like. */
export type Pair = TlsPair & { keys: { privateKey: KeyObject; publicKey: KeyObject } };

const HOUR = 3_600n;
const now = BigInt(Math.floor(Date.now() / 1000));
let serial = 100n;

/** A certificate of a fresh key for this machine; signed by its own key where no authority is named. */
export function pairOf(
  parts: { keys?: Pair["keys"]; authority?: Pair; isAuthority?: boolean; notAfter?: bigint } = {},
): Pair {
  const { authority, isAuthority = false, notAfter = now + HOUR } = parts;
  const keys = parts.keys ?? generateKeyPairSync("ec", { namedCurve: "P-256" });
  serial += 1n;
  const subject = isAuthority ? "authority" : "localhost";
  const certificate = makeCertificate({
    fields: {
      ...{ subject, issuer: authority === undefined ? subject : "authority", serial },
      ...{ notBefore: now - 2n * HOUR, notAfter, publicKey: keys.publicKey },
      ...(isAuthority && { authority: { isServer: true } }),
    },
    issuerKey: (authority?.keys ?? keys).privateKey,
    hash: "sha256",
  });
  const key = keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { certificate, key, keys };
}
