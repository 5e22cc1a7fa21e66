/**
 * A receipt: evidence of an answer, and never a verdict on it (docs/receipts/README.md). All its values are texts: bytes are
 * `0x` and lower-case hex, numbers decimal digits. As bytes it is its RFC 8785 text, and no other.
 */
export type Receipt = {
  mediaType: typeof MEDIA_TYPE;
  core: ReceiptCore;
  /** appended later, too; each is checked */
  evidence: readonly Evidence[];
  /** addresses of pages, transactions, notes; nothing is concluded from them */
  hints: Readonly<Record<string, string>>;
};

export const MEDIA_TYPE = "application/vnd.haca-receipt.v1+json";

/** What never changes. */
export type ReceiptCore = {
  chainId: string;
  /** the settlement contract, whose domain the message is signed in */
  settlement: string;
  message: ReceiptMessage;
  /** over the EIP-712 digest of `message`; of an ECDSA signature s is the lower one, and v, where there is one, 27 or 28 */
  signature: string;
  /** the enclave's key, SubjectPublicKeyInfo in DER; null of a node without an enclave */
  key: string | null;
  /** account whose signature it is, where the enclave has certified a key for a session */
  session: string | null;
  /** keccak256 of the enclave's attestation document, which is evidence */
  attestation: string | null;
  /** null: known by its hash alone */
  input: Input | null;
  output: Output | null;
};

/** The typed message `InferenceResult`, field by field. */
export type ReceiptMessage = {
  modelVersion: string;
  inputHash: string;
  outputHash: string;
  requester: string;
  requestId: string;
  price: string;
  timestamp: string;
  teeId: string;
};

/** Packed words of 32 bytes, whose hash is keccak256 of them. */
export type Words = { type: "words"; words: readonly string[] };
/** Canonical JSON of a request, whose hash is keccak256 of salt and text. */
export type SaltedText = { type: "text"; salt: string; text: string };
/** Canonical JSON of an answer. */
export type Text = { type: "text"; text: string };
export type Input = Words | SaltedText;
export type Output = Words | Text;

/** Groth16 proof of the words, and the verifying key it is for. */
export type ProofEvidence = { type: "proof"; proof: string; verifyingKey: string };

/** The result's way to the root of a page of results. */
export type PageEvidence = {
  type: "page";
  /** the contract that keeps the page */
  pageSettlement: string;
  /** keccak256 of chain, contract and header */
  pageId: string;
  header: ReceiptPageHeader;
  /** the eight neighbours, from the leaf's own up */
  path: readonly string[];
};

export type ReceiptPageHeader = {
  kind: string;
  teeId: string;
  ledgerPage: string;
  bitmap: string;
  root: string;
  blobId: string;
  proposer: string;
  fee: string;
};

/** The document whose hash the core has. */
export type AttestationEvidence = { type: "attestation"; document: string };

/** Parts of a chain's state at one block: what its ledger and its registry say of the result. */
export type WitnessEvidence = {
  type: "witness";
  /** RLP of the block's header */
  header: string;
  /** of the state's trie and of contracts' storage, and codes; each is found by its hash, and each is needed */
  nodes: readonly string[];
  codes: readonly string[];
};

export type Evidence = ProofEvidence | PageEvidence | AttestationEvidence | WitnessEvidence;

/** What a receipt may hold at most. */
export const LIMITS = {
  /** bytes of a whole receipt */
  receipt: 4 * 1024 * 1024,
  /** UTF-16 units of an input's or an output's text */
  text: 1024 * 1024,
  words: 1024,
  evidence: 16,
  /** bytes */
  document: 16_384,
  verifyingKey: 448 + 64 * 1026,
  key: 600,
  header: 2048,
  nodes: 512,
  node: 576,
  codes: 4,
  code: 24_576,
  signature: 512,
  hints: 32,
  hintName: 64,
  hint: 2048,
} as const;
