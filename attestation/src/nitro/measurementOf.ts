import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, concatBytes, hexToBytes } from "@noble/hashes/utils.js";

/** Bytes of each measurement of an enclave. */
export const PCR_LENGTH = 48;

const bytesOf = (pcr: string | Uint8Array): Uint8Array =>
  typeof pcr === "string" ? hexToBytes(pcr.replace(/^0x/, "")) : pcr;

/** What names an image: the hash of PCR0, PCR1 and PCR2, as bytes or hex. The same as the registry's `computePCRHash`. */
export const measurementOf = (pcrs: readonly (string | Uint8Array)[]): string =>
  `0x${bytesToHex(keccak_256(concatBytes(...pcrs.map(bytesOf))))}`;
