import type { ContractRunner } from "ethers";
import { nextBlockTime, type TeeContracts } from "./teeContracts.ts";

export const NODE_STATUSES = [
  "unknown",
  "enabled",
  "disabled",
  "retired",
  "banned",
  "expelled",
] as const;

/** One of the things that must hold for a node to be active. */
export type Condition = { holds: boolean; text: string };

/** What the registry knows about a node, with every condition of `isTEEActive` on its own. */
export type NodeReport = {
  owner: string;
  paymentAddress: string;
  endpoint: string;
  pcrHash: string;
  teeType: number;
  status: (typeof NODE_STATUSES)[number];
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
  const { registry, lens, verifier } = contracts;
  const read = (name: string, ...values: unknown[]) => registry.getFunction(name)(...values);
  const node = await lens.getFunction("getNode")(teeId);
  const info = await read("getTEE", teeId);
  const image = await read("imageState", info.pcrHash, info.teeType, node.verifierId);
  const isApproved: boolean = await read(
    "isImageApproved",
    info.pcrHash,
    info.teeType,
    node.verifierId,
  );
  const isDenied: boolean = await read("isOperatorDenied", info.owner);
  const verifierAddress: string = await read("verifier", node.verifierId);
  const verifierGeneration: bigint = await read("verifierGeneration", node.verifierId);
  const sameVerifier = verifierGeneration === node.verifierGeneration;
  const hasVerifier = BigInt(verifierAddress) !== 0n;
  const isTrusted: boolean =
    hasVerifier &&
    (await verifier.attach(verifierAddress).getFunction("isTrusted")(node.signerCertificate));
  const heartbeatAge: bigint = await read("heartbeatMaxAge");
  const attestationAge: bigint = await read("attestationMaxAge");
  const now = await nextBlockTime(runner);
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
          : `it attested under an earlier approval of its image (generation ${node.imageGeneration}, now ${image.generation}): renew renews its attestation`,
      },
      {
        holds: sameVerifier,
        text: sameVerifier
          ? "it attested to the verifier that is set now"
          : "the verifier that it attested to was replaced: renew renews its attestation",
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
