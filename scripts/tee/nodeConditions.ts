import { NODE_STATUSES, type NodeStatus } from "@haca/protocol/attestationParameters";
import type { ContractRunner } from "ethers";
import { nextBlockTime } from "../lib/chainSession.ts";
import { contractAt } from "../lib/contracts.ts";
import type { TeeContracts } from "./teeContracts.ts";

/** One of the things that must hold for a node to be active. */
export type Condition = { holds: boolean; text: string };

/** What the registry knows about a node, with every condition of `isTEEActive` on its own. */
export type NodeReport = {
  owner: string;
  paymentAddress: string;
  endpoint: string;
  pcrHash: string;
  teeType: number;
  status: NodeStatus;
  /** unix seconds */
  attestedAt: bigint;
  lastHeartbeatAt: bigint;
  isActive: boolean;
  conditions: readonly Condition[];
};

/** Reads a node. Reverts of the registry (`TEERegistry_NodeUnknown`) are thrown as they come. */
export async function nodeConditions(parameters: {
  contracts: TeeContracts;
  runner: ContractRunner;
  teeId: string;
}): Promise<NodeReport> {
  const { contracts, runner, teeId } = parameters;
  const { registry, lens } = contracts;
  const node = await lens.getNode(teeId);
  const info = await registry.getTEE(teeId);
  const place = [info.pcrHash, info.teeType, node.verifierId] as const;
  const image = await registry.imageState(...place);
  const isApproved = await registry.isImageApproved(...place);
  const isDenied = await registry.isOperatorDenied(info.owner);
  const address = await registry.verifier(node.verifierId);
  const sameVerifier =
    (await registry.verifierGeneration(node.verifierId)) === node.verifierGeneration;
  const verifier =
    BigInt(address) === 0n
      ? undefined
      : contractAt({ name: "IAttestationVerifier", address, runner });
  const isTrusted = (await verifier?.isTrusted(node.signerCertificate)) ?? false;
  const heartbeatAge = await registry.heartbeatMaxAge();
  const attestationAge = await registry.attestationMaxAge();
  const now = await nextBlockTime(runner.provider);
  const status = NODE_STATUSES[Number(node.status)] ?? "unknown";
  const sameGeneration = image.generation === node.imageGeneration;
  return {
    owner: info.owner,
    paymentAddress: info.paymentAddress,
    endpoint: info.endpoint,
    pcrHash: info.pcrHash,
    teeType: Number(info.teeType),
    status,
    attestedAt: node.attestedAt,
    lastHeartbeatAt: info.lastHeartbeatAt,
    isActive: node.isActive,
    conditions: [
      { holds: status === "enabled", text: `the node is ${status}` },
      { holds: !isDenied, text: `its operator is ${isDenied ? "denied" : "not denied"}` },
      { holds: isApproved, text: `its image is ${isApproved ? "" : "not "}approved now` },
      {
        holds: sameGeneration,
        text: sameGeneration
          ? `it attested under the image's present approval (generation ${node.imageGeneration})`
          : `it attested under an earlier approval of its image (generation ${node.imageGeneration}, now ${image.generation}): tee renew`,
      },
      {
        holds: sameVerifier,
        text: sameVerifier
          ? "it attested to the verifier that is set now"
          : "the verifier that it attested to was replaced: tee renew",
      },
      {
        holds: isTrusted,
        text: isTrusted
          ? "the certificates behind its attestation are trusted"
          : "a certificate behind its attestation is revoked, or its verifier was removed",
      },
      freshness({ what: "attestation", at: node.attestedAt, maxAge: attestationAge, now }),
      freshness({ what: "heartbeat", at: info.lastHeartbeatAt, maxAge: heartbeatAge, now }),
    ],
  };
}

function freshness(parameters: {
  what: string;
  at: bigint;
  maxAge: bigint;
  now: bigint;
}): Condition {
  const { what, at, maxAge, now } = parameters;
  const age = now > at ? now - at : 0n;
  const holds = age <= maxAge;
  return {
    holds,
    text: `its ${what} is ${age} s old, ${holds ? "at" : "more than the"} most ${maxAge} s`,
  };
}
