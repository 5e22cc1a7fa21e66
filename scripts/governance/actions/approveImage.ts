import { measurementOf, PCR_LENGTH } from "@haca/attestation/nitro/measurementOf";
import { VERIFIER_IDS } from "@haca/protocol/attestationVendors";
import { isHexString, zeroPadBytes } from "ethers";
import { addressOf } from "../../lib/chainSession.ts";
import type { Action } from "./action.ts";
import { describeSource, readImage, readNodeType, refuse, TEE_REGISTRY } from "./teeRegistry.ts";

const WORD = 32;
/** Git names commits by SHA-1 or by SHA-256. */
const COMMIT_LENGTHS = [20, WORD];

/** The timelock holds IMAGE_APPROVER for this, without a delay besides its own. */
export const approveImage: Action = {
  name: "approve-image",
  usage: "<pcr0> <pcr1> <pcr2> <version> <node type> <commit> <repository>",
  summary: "lets nodes of a type run an enclave image",
  by: "proposal",
  functions: ["TEERegistry.approveImage(bytes32,string,uint8,uint8,bytes16,bytes32,string)"],
  build: async (context) => {
    const { book, provider, values } = context;
    const pcrs = ["pcr0", "pcr1", "pcr2"].map((name) => values.bytes(name, PCR_LENGTH));
    const version = values.text("version");
    const { type, label } = await readNodeType(context);
    const commit = readCommit(values.text("commit"));
    const repository = values.text("repository");
    if (pcrs.every((pcr) => BigInt(pcr) === 0n)) {
      throw refuse("all measurements are zero: that is an enclave in debug mode");
    }

    const pcrHash = measurementOf(pcrs);
    const current = await readImage({ book, provider, pcrHash, type });
    if (current.isApproved) {
      throw refuse(
        `image ${pcrHash} is approved for ${label} already, as version ${current.version}`,
      );
    }
    const before =
      current.generation === 0
        ? "never approved"
        : `revoked (version ${current.version}, generation ${current.generation})`;
    const generation = current.generation + 1;
    return {
      calls: [
        {
          contract: TEE_REGISTRY,
          target: addressOf(book, TEE_REGISTRY),
          fragment:
            "function approveImage(bytes32 measurement, string version, uint8 teeType, uint8 verifierId, bytes16 lastRevocation, bytes32 commit, string repository)",
          arguments: [
            pcrHash,
            version,
            type,
            VERIFIER_IDS.nitro,
            current.lastRevocation,
            commit,
            repository,
          ],
          words:
            `image ${pcrHash} for nodes of type ${label}: ${before} -> approved as version ${version}, ` +
            `generation ${generation}, built from ${describeSource({ commit, repository })}`,
        },
      ],
    };
  },
};

function readCommit(text: string): string {
  const commit = text.startsWith("0x") ? text : `0x${text}`;
  if (!COMMIT_LENGTHS.some((length) => isHexString(commit, length))) {
    throw refuse(`commit must be the whole hash, 40 or 64 hex digits, got ${text}`);
  }
  return zeroPadBytes(commit.toLowerCase(), WORD);
}
