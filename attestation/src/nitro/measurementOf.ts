import { type BytesLike, concat, keccak256 } from "ethers";

/** Bytes of each measurement of an enclave. */
export const PCR_LENGTH = 48;

/** What names an image: the hash of PCR0, PCR1 and PCR2. The same as the registry's `computePCRHash`. */
export const measurementOf = (pcrs: readonly BytesLike[]): string => keccak256(concat(pcrs));
