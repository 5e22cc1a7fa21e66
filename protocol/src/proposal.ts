/** What a node signs to have results of it recorded or proposed by somebody else. */
export type Proposal = {
  /** `Verification`: 0 Vanilla, 2 TEE, 3 Optimistic */
  kind: number;
  /** number of the ledger page, which names the node */
  page: bigint;
  /** the requests of that page */
  bitmap: bigint;
  /** root of the results; of one result its digest */
  root: string;
  /** where the results are stored; zero for one result */
  blobId: string;
  /** last second in which this counts, in unix seconds */
  deadline: bigint;
};

/** Field order is part of the EIP-712 type hash. */
export const PROPOSAL_TYPES = {
  Proposal: [
    { name: "kind", type: "uint8" },
    { name: "page", type: "uint256" },
    { name: "bitmap", type: "uint256" },
    { name: "root", type: "bytes32" },
    { name: "blobId", type: "bytes32" },
    { name: "deadline", type: "uint64" },
  ],
};
