import {
  teeAttestation,
  teeHeartbeat,
  teeImage,
  teeImageRevocation,
  teeNode,
  teeOhttpConfig,
  teeSessionKey,
  teeType,
  teeVerifier,
} from "ponder:schema";
import { teeRegistryAbi } from "@haca/protocol/abi";
import { parseAbi, zeroAddress, zeroHash } from "viem";
import { keyKindName, statusName } from "./columns.ts";
import { isIndexed } from "./isIndexed.ts";
import { on } from "./on.ts";
import { readConstant, readState, stateClient } from "./readState.ts";
import { insertStatusChange, setDenied, setParameter } from "./tee/writeRows.ts";

/** What every verifier over a certificate store answers, whatever its vendor. */
const storedVerifierAbi = parseAbi(["function CERTIFICATES() view returns (address)"]);

if (isIndexed("TEERegistry")) {
  indexTypesAndImages();
  indexNodes();
  indexKeys();
  indexParameters();
}

function indexTypesAndImages(): void {
  on("TEERegistry:TEETypeAdded", async ({ event, context }) => {
    await context.db.insert(teeType).values({
      id: event.args.teeType,
      name: event.args.name,
      addedAt: event.block.timestamp,
      nodeCount: 0,
    });
  });

  on("TEERegistry:ImageApproved", async ({ event, context }) => {
    await context.db.insert(teeImage).values({
      ...event.args,
      generation: BigInt(event.args.generation),
      approvedAt: event.block.timestamp,
    });
  });

  on("TEERegistry:ImageRevoked", async ({ event, context }) => {
    const image = { ...event.args, generation: BigInt(event.args.generation) };
    const revokedAt = event.block.timestamp;
    await context.db.insert(teeImageRevocation).values({
      ...{ ...image, revokedAt },
      blockNumber: event.block.number,
      logIndex: event.log.logIndex,
      transactionHash: event.transaction.hash,
    });
    const { revocation, ...key } = image;
    const approval = await context.db.find(teeImage, key);
    // It may have ended before, or never have begun.
    if (approval?.revokedAt === null) await context.db.update(teeImage, key).set({ revokedAt });
  });
}

function indexNodes(): void {
  on("TEERegistry:TEERegistered", async ({ event, context }) => {
    const { teeId, owner, teeType: type, keyKind } = event.args;
    const { nodeCount } = await context.db
      .update(teeType, { id: type })
      .set((row) => ({ nodeCount: row.nodeCount + 1 }));
    const publicKey = await readConstant({
      block: event.block.number,
      read: (at) =>
        stateClient.readContract({
          abi: teeRegistryAbi,
          address: event.log.address,
          functionName: "getTEEPublicKey",
          args: [teeId],
          ...at,
        }),
    });
    await context.db.insert(teeNode).values({
      id: teeId,
      teeType: type,
      number: nodeCount - 1,
      owner,
      status: "enabled",
      keyKind: keyKindName(keyKind),
      publicKey,
      registeredAt: event.block.timestamp,
      transactionHash: event.transaction.hash,
      blockNumber: event.block.number,
      // What was attested comes with the next event of the same call.
      ...{ paymentAddress: zeroAddress, endpoint: "", tlsCertificateHash: zeroHash },
      ...{ measurement: zeroHash, imageGeneration: 0n, signerCertificate: zeroHash },
      ...{ verifierId: 0, verifierGeneration: 0n },
      ...{ attestedAt: 0n, lastHeartbeatAt: 0n },
    });
    await insertStatusChange({ context, event, teeId, previous: 0, current: 1 });
  });

  on("TEERegistry:TEEAttested", async ({ event, context }) => {
    const { teeId, generation, verifierGeneration, ...rest } = event.args;
    const attested = {
      ...rest,
      imageGeneration: BigInt(generation),
      verifierGeneration: BigInt(verifierGeneration),
    };
    await context.db.insert(teeAttestation).values({
      ...{ teeId, ...attested },
      blockTimestamp: event.block.timestamp,
      transactionHash: event.transaction.hash,
    });
    await context.db.update(teeNode, { id: teeId }).set((row) => ({
      ...attested,
      // Fresh evidence shows life as a heartbeat does; both only move forward.
      lastHeartbeatAt:
        attested.attestedAt > row.lastHeartbeatAt ? attested.attestedAt : row.lastHeartbeatAt,
    }));
  });

  on("TEERegistry:Heartbeat", async ({ event, context }) => {
    const { teeId, timestamp } = event.args;
    await context.db.insert(teeHeartbeat).values({
      ...{ teeId, timestamp },
      blockTimestamp: event.block.timestamp,
      transactionHash: event.transaction.hash,
    });
    await context.db.update(teeNode, { id: teeId }).set({ lastHeartbeatAt: timestamp });
  });

  on("TEERegistry:TEEStatusChanged", async ({ event, context }) => {
    const { teeId, previous, current } = event.args;
    await insertStatusChange({ context, event, teeId, previous, current });
    const status = statusName(current);
    if (status === "unknown") {
      throw new RangeError(`node ${teeId} became unknown`);
    }
    await context.db.update(teeNode, { id: teeId }).set({ status });
  });

  on("TEERegistry:OperatorDenied", async ({ event, context }) => {
    await setDenied({ context, event, operator: event.args.operator, isDenied: true });
  });

  on("TEERegistry:OperatorAllowed", async ({ event, context }) => {
    await setDenied({ context, event, operator: event.args.operator, isDenied: false });
  });
}

function indexKeys(): void {
  on("TEERegistry:SessionKeyCertified", async ({ event, context }) => {
    await context.db.insert(teeSessionKey).values(event.args);
  });

  on("TEERegistry:SessionKeyEnded", async ({ event, context }) => {
    const { teeId, key, until } = event.args;
    await context.db
      .update(teeSessionKey, { teeId, key })
      .set({ until, endedAt: event.block.timestamp });
  });

  on("TEERegistry:OhttpConfigChanged", async ({ event, context }) => {
    const { teeId, keyId, publicKey } = event.args;
    const info = await readState({
      block: event.block.number,
      read: (at) =>
        stateClient.readContract({
          abi: teeRegistryAbi,
          address: event.log.address,
          functionName: "getTEE",
          args: [teeId],
          ...at,
        }),
    });
    const config = {
      ...{ keyId, publicKey, registeredAt: event.block.timestamp },
      kemId: info?.ohttpConfig.kemId ?? null,
      kdfId: info?.ohttpConfig.kdfId ?? null,
      aeadId: info?.ohttpConfig.aeadId ?? null,
      keyConfig: info?.ohttpConfig.keyConfig ?? null,
    };
    await context.db
      .insert(teeOhttpConfig)
      .values({ teeId, ...config })
      .onConflictDoUpdate(config);
  });
}

function indexParameters(): void {
  on("TEERegistry:VerifierChanged", async ({ event, context }) => {
    const { verifierId: id, current: address } = event.args;
    const generation = BigInt(event.args.generation);
    // A verifier without a store has no such function, and another way to stand behind its evidence.
    const certificateStore = await readConstant({
      block: event.block.number,
      read: (at) =>
        stateClient.readContract({
          abi: storedVerifierAbi,
          address,
          functionName: "CERTIFICATES",
          ...at,
        }),
    });
    const verifier = { generation, address, certificateStore, changedAt: event.block.timestamp };
    await context.db
      .insert(teeVerifier)
      .values({ id, ...verifier })
      .onConflictDoUpdate(verifier);
  });

  on("TEERegistry:HeartbeatMaxAgeChanged", async ({ event, context }) => {
    await setParameter({ context, event, name: "heartbeatMaxAge", value: event.args.current });
  });

  on("TEERegistry:AttestationMaxAgeChanged", async ({ event, context }) => {
    await setParameter({ context, event, name: "attestationMaxAge", value: event.args.current });
  });

  on("TEERegistry:AdmissionPaused", async ({ event, context }) => {
    await setParameter({ context, event, name: "admissionPausedUntil", value: event.args.until });
  });
}
