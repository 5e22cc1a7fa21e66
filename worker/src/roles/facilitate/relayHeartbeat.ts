import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import type { Sender } from "../../transactions/sender.ts";
import { WouldRevertError } from "../../transactions/sendTransaction.ts";
import { BadSubmissionError, UnavailableError } from "./facilitatorErrors.ts";
import { type RegistryContext, registryInterface, verifyHeartbeat } from "./registryChecks.ts";

/** Clients give up after 20 seconds. */
const PATIENCE_MS = 15_000;

export type HeartbeatRelayContext = Pick<RegistryContext, "provider" | "registry"> & {
  sender: Sender;
  pollMs: number;
};

type Heartbeat = { teeId: string; timestamp: bigint; signature: string };

export type RelayedHeartbeat = {
  success: true;
  txHash: string;
  teeId: string;
  timestamp: string;
  relayer: string;
  contract: string;
};

const bodySchema = z.object({
  teeId: z.string().regex(/^(0x)?[0-9a-fA-F]{64}$/, "must be 64 hex digits"),
  timestamp: z
    .union([z.int().nonnegative().transform(String), z.string()])
    .refine((text) => /^\d{1,15}$/.test(text), "must be unix seconds, as a number or decimal text")
    .transform(BigInt),
  signature: z
    .string()
    .max(2_048)
    .regex(/^[A-Za-z0-9+/]+={0,2}$/, "must be base64"),
  contractAddress: z.string().optional(),
});

/** What clients call the fields of a heartbeat. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  teeId: ["teeId", "tee_id"],
  timestamp: ["timestamp"],
  signature: ["signature", "teeSignature", "tee_signature"],
  contractAddress: ["contractAddress", "contract_address", "registry"],
};

/** Relays heartbeats of enclaves that have no account of their own, and answers when they are mined. */
export function createHeartbeatRelay(
  context: HeartbeatRelayContext,
): (body: unknown) => Promise<RelayedHeartbeat> {
  /** What is on its way: a client that asks again meanwhile waits for the same transaction. */
  const underWay = new Map<string, Promise<string>>();
  return async (body) => {
    const heartbeat = parseHeartbeat({ body, registry: context.registry });
    const { teeId, timestamp } = heartbeat;
    // Each by itself before it may share: somebody's bad signature must not answer for the node's good one.
    await verifyHeartbeat({ context, ...heartbeat });
    const key = `${teeId} ${timestamp}`;
    const running = underWay.get(key) ?? relay({ context, heartbeat });
    underWay.set(key, running);
    try {
      const txHash = await running;
      return {
        success: true,
        ...{ txHash, teeId, timestamp: timestamp.toString() },
        ...{ relayer: context.sender.account, contract: context.registry },
      };
    } finally {
      underWay.delete(key);
    }
  };
}

function parseHeartbeat(parameters: { body: unknown; registry: string }): Heartbeat {
  const { body, registry } = parameters;
  const fields = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const known = Object.entries(ALIASES).flatMap(([name, aliases]) => {
    const alias = aliases.find((candidate) => fields[candidate] !== undefined);
    return alias === undefined ? [] : [[name, fields[alias]] as const];
  });
  const parsed = bodySchema.safeParse(Object.fromEntries(known));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new BadSubmissionError(issue?.path.join(".") || "body", issue?.message ?? "malformed");
  }
  const { contractAddress, signature, teeId, timestamp } = parsed.data;
  if (contractAddress !== undefined && contractAddress.toLowerCase() !== registry.toLowerCase()) {
    throw new BadSubmissionError(
      "contractAddress",
      `must be ${registry}, the registry of this chain`,
    );
  }
  return {
    teeId: `0x${teeId.replace(/^0x/, "").toLowerCase()}`,
    timestamp,
    signature: `0x${Buffer.from(signature, "base64").toString("hex")}`,
  };
}

async function relay(parameters: {
  context: HeartbeatRelayContext;
  heartbeat: Heartbeat;
}): Promise<string> {
  const { context, heartbeat } = parameters;
  const { registry, sender } = context;
  const { signature, teeId, timestamp } = heartbeat;
  const data = registryInterface.encodeFunctionData("heartbeat", [teeId, timestamp, signature]);
  const purpose = `heartbeat ${teeId} ${timestamp}`;
  const sent = await sender.send({ purpose, to: registry, data }).catch((error: unknown) => {
    if (!(error instanceof WouldRevertError)) throw error;
    throw failed(`the registry refuses the heartbeat: ${error.revert.message}`);
  });
  if (sent === undefined) throw failed("gas is above this facilitator's ceiling");
  return await mined({ context, hash: sent.hash });
}

async function mined(parameters: {
  context: HeartbeatRelayContext;
  hash: string;
}): Promise<string> {
  const { context, hash } = parameters;
  const { pollMs, sender } = context;
  for (let waited = 0; waited < PATIENCE_MS; waited += pollMs) {
    const receipt = await sender.findReceipt(hash);
    if (receipt?.status === 1) return hash;
    if (receipt !== undefined) throw failed(`transaction ${hash} reverted`);
    await delay(pollMs);
  }
  throw failed(`transaction ${hash} is not mined yet`);
}

const failed = (message: string): UnavailableError =>
  new UnavailableError({ code: "heartbeat.failed", message });
