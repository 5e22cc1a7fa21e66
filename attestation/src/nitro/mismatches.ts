import { hexlify, sha256 } from "ethers";
import type { Subject } from "../vendor.ts";
import { carriedBinding } from "./bindingNonce.ts";
import { clientNonce } from "./clientNonce.ts";
import type { NitroDocument } from "./parseDocument.ts";

const SHA256_MULTIHASH = "1220";

/** What is sound in itself but does not belong to a registration: nonce, TLS certificate, signing key. */
export function mismatches(document: NitroDocument, subject: Subject): string[] {
  const nonce = carriedBinding(subject.binding);
  const actualNonce = hexlify(document.nonce ?? "0x");
  const actual = hexlify(document.userData ?? "0x");
  const part = (bytes: Uint8Array) => SHA256_MULTIHASH + sha256(bytes).slice(2);
  const [tls, key] = [part(subject.tlsCertificate), part(subject.signingKey)];
  const reasons: string[] = [];
  if (actualNonce === clientNonce(nonce)) {
    reasons.push(
      "it is one for clients, whose nonce is hashed: --enclave must be the operator's side of the enclave",
    );
  } else if (actualNonce !== nonce) {
    reasons.push(
      `its nonce is ${actualNonce}, not the one asked for: it is bound to something else`,
    );
  }
  if (actual.length !== 2 + tls.length + key.length) {
    reasons.push(`its user data is ${actual.length / 2 - 1} bytes, expected 68`);
  } else {
    if (actual.slice(2, 2 + tls.length) !== tls) {
      reasons.push("it vouches for another TLS certificate than the one that the endpoint shows");
    }
    if (!actual.endsWith(key)) reasons.push("it vouches for another signing key");
  }
  return reasons;
}
