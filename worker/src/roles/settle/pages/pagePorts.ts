import type { BlobStore } from "@haca/protocol/blobs/blobStore";

/** What pages need beyond what every kind of settlement does: those that are proposed, and those that were. */
export type PagePorts = {
  /** address of the contract that takes them */
  contract: string;
  /** results of a page at most */
  size: number;
  /** absent where none is named: then nothing is proposed, and what was is looked after but not stored again */
  blobs?: BlobStore;
  /** seconds after which a page's blob is stored again: less than the epochs that are paid for */
  renewSeconds: number;
  /** rest between two looks at a page that waits for its end */
  lookSeconds: number;
};
