import type { ReceiptCore } from "../../src/receipt/receipt.ts";

const word = (digit: string): string => `0x${digit.repeat(64)}`;

/** A core that has the form of one; nothing in it was signed. */
export const sampleCore = (overrides: Partial<ReceiptCore> = {}): ReceiptCore => ({
  chainId: "31337",
  settlement: `0x${"11".repeat(20)}`,
  message: {
    modelVersion: word("1"),
    inputHash: word("2"),
    outputHash: word("3"),
    requester: `0x${"00".repeat(20)}`,
    requestId: word("4"),
    price: "0",
    timestamp: "1900000000",
    teeId: word("0"),
  },
  signature: `0x${"12".repeat(64)}1b`,
  ...{ key: null, session: null, attestation: null },
  input: { type: "text", salt: word("5"), text: '{"a":"ü 😀 \\u0000"}' },
  output: { type: "words", words: [word("6")] },
  ...overrides,
});
