import { AbiCoder, concat, hexlify, keccak256, ZeroHash, zeroPadBytes } from "ethers";
import { certificateIds } from "../x509/parseCertificate.ts";
import { measurementOf } from "./measurementOf.ts";
import { parseDocument } from "./parseDocument.ts";

const CLAIMS = ["(bytes32,bytes32,bytes32,uint64,bytes32)"];
const MILLISECONDS = 1000n;
const BINDING_LENGTH = 20;
/** Two multihashes: 1220 and SHA-256, of the TLS certificate and of the signing key. */
const USER_DATA = /^0x1220([0-9a-f]{64})1220([0-9a-f]{64})$/;

/**
 * The claims of a document as `NitroAttestationVerifier` encodes them. Once it has verified the document, they stand
 * for it, in a twentieth of the bytes. The same as the verifier's `abi.encode(claims)`.
 * @throws BaseError of `parseDocument` and `parseCertificate`
 */
export function encodeClaims(document: Uint8Array): string {
  const { pcrs, cabundle, certificate, timestamp, userData, nonce } = parseDocument(document);
  const [, tlsHash, keyHash] = USER_DATA.exec(hexlify(userData ?? "0x")) ?? [];
  return AbiCoder.defaultAbiCoder().encode(CLAIMS, [
    [
      measurementOf([0, 1, 2].map((index) => pcrs.get(index) ?? "0x")),
      tlsHash === undefined ? ZeroHash : keccak256(concat([`0x${tlsHash}`, `0x${keyHash}`])),
      nonce?.length === BINDING_LENGTH ? zeroPadBytes(nonce, 32) : ZeroHash,
      timestamp / MILLISECONDS,
      certificateIds([...cabundle, certificate]).at(-1),
    ],
  ]);
}
