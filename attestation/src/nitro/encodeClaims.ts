import { AbiCoder, concat, hexlify, keccak256 } from "ethers";
import { certificateIds } from "../x509/parseCertificate.ts";
import { parseDocument } from "./parseDocument.ts";

const CLAIMS = ["(bytes32,bytes32,uint64,bytes,bytes,bytes)"];
const MILLISECONDS = 1000n;

/**
 * The claims of a document as `NitroAttestationVerifier` encodes them. Once it has verified the document, they stand
 * for it, in a seventh of the bytes. Twin of the verifier's `abi.encode(claims)`.
 * @throws BaseError of `parseDocument` and `parseCertificate`
 */
export function encodeClaims(document: Uint8Array): string {
  const { pcrs, cabundle, certificate, timestamp, ...rest } = parseDocument(document);
  const measurement = keccak256(concat([0, 1, 2].map((index) => pcrs.get(index) ?? "0x")));
  const endorsement = certificateIds([...cabundle, certificate]).at(-1);
  const optional = (bytes: Uint8Array | null) => (bytes === null ? "0x" : hexlify(bytes));
  return AbiCoder.defaultAbiCoder().encode(CLAIMS, [
    [
      measurement,
      endorsement,
      timestamp / MILLISECONDS,
      optional(rest.publicKey),
      optional(rest.userData),
      optional(rest.nonce),
    ],
  ]);
}
