import { encodeRequestId } from "@haca/protocol/requestId";
import { ZeroAddress } from "ethers";
import type { NewJob } from "../../src/jobs/job.ts";

export const NODE = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

/** A job as the inference node makes it, with words beyond 2^53. */
export function newJob(parameters: { nonce: bigint; versionId?: string }): NewJob {
  const { nonce, versionId = `0x${"11".repeat(32)}` } = parameters;
  return {
    requestId: encodeRequestId({ node: NODE, nonce }),
    nonce,
    model: "digits",
    version: "1.0",
    versionId,
    requester: ZeroAddress,
    price: 10n ** 30n,
    timestamp: 1_800_000_000n,
    inputWords: [(1n << 247n) + 3n, 0n],
    outputWords: [(1n << 200n) + 1n],
    signature: `0x${"22".repeat(65)}`,
  };
}

/** A job of a result that an enclave has signed, under a nonce of this node's or of the enclave's own. */
export function newResult(parameters: { nonce: bigint; node?: string; versionId?: string }) {
  const { node = NODE, ...rest } = parameters;
  const words = { inputHash: `0x${"44".repeat(32)}`, outputHash: `0x${"55".repeat(32)}` };
  return {
    ...newJob(rest),
    ...{ requestId: encodeRequestId({ node, nonce: rest.nonce }), settleAlone: false },
    ...{ inputWords: [], outputWords: [], enclave: { teeId: `0x${"66".repeat(32)}`, ...words } },
  };
}
