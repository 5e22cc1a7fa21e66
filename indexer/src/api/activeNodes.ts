import { db } from "ponder:api";
import schema from "ponder:schema";
import { readAddressBook } from "@haca/protocol/addressBook";
import { VENDOR_ROWS } from "@haca/protocol/attestationVendors";
import { Hono } from "hono";
import { and, asc, eq, gt, sql } from "ponder";
import { z } from "zod";
import { readSettings } from "../../launch/readSettings.ts";
import { isNodeActive } from "../tee/isNodeActive.ts";
import { inJson } from "./inJson.ts";
import { integer, now, refusal, time } from "./parameters.ts";
import { readFinality } from "./readFinality.ts";

/** Nodes that are looked at in one query. */
const BATCH = 500;
const MAXIMUM_LIMIT = 500;

const querySchema = z.strictObject({
  type: integer(255),
  at: time,
  limit: integer(MAXIMUM_LIMIT).pipe(z.number().min(1, "must be at least 1")).default(100),
  /** `next` of the page before */
  after: integer(2 ** 31 - 1).optional(),
});

const { contracts } = readAddressBook(readSettings(process.env).addressBook);
/** The stores whose certificates are indexed: a vendor's each, as far as the address book has one. */
const certificateStores = VENDOR_ROWS.flatMap(({ certificateStore }) =>
  certificateStore === undefined ? [] : (contracts[certificateStore]?.address.toLowerCase() ?? []),
);

const {
  teeNode,
  teeImage,
  teeOperator,
  teeVerifier,
  certificate,
  certificateRevocation,
  teeParameter,
} = schema;

const parameterNamed = (name: "heartbeatMaxAge" | "attestationMaxAge") =>
  sql<
    string | null
  >`(select ${teeParameter.value} from ${teeParameter} where ${teeParameter.name} = ${name})`;

/** `GET /nodes/active`: the nodes of a type that the contract's `isTEEActive` would answer yes for at a time. */
export const activeNodes = new Hono().get("/nodes/active", async (context) => {
  const query = querySchema.safeParse(context.req.query());
  if (!query.success) return context.json(refusal(query.error), 400);
  const { type, limit, after = -1 } = query.data;
  const at = query.data.at ?? now();

  const finality = await readFinality();
  const nodes: object[] = [];
  let last = after;
  for (;;) {
    const batch = await readNodes({ type, after: last });
    for (const { number, node, standing } of batch) {
      if (nodes.length === limit) {
        return context.json({ type, at: String(at), nodes, next: last });
      }
      last = number;
      if (isNodeActive({ standing, at })) {
        nodes.push(inJson({ row: node, finality }));
      }
    }
    if (batch.length < BATCH) {
      return context.json({ type, at: String(at), nodes, next: null });
    }
  }
});

/** Enabled nodes of a type behind number `after`, in order, each with what decides whether it is active. */
async function readNodes(parameters: { type: number; after: number }) {
  // One statement: a block that is indexed meanwhile cannot come between two of them.
  const rows = await db
    .select({
      node: teeNode,
      image: teeImage,
      isOperatorDenied: teeOperator.isDenied,
      certificateStore: teeVerifier.certificateStore,
      verifierGeneration: teeVerifier.generation,
      certificateId: certificate.id,
      isRevoked: sql<boolean>`exists (select from ${certificateRevocation}
        where ${certificate.revocationPath} @> to_jsonb(${certificateRevocation.revocationKey}))`,
      heartbeatMaxAge: parameterNamed("heartbeatMaxAge"),
      attestationMaxAge: parameterNamed("attestationMaxAge"),
    })
    .from(teeNode)
    .leftJoin(
      teeImage,
      and(
        eq(teeImage.measurement, teeNode.measurement),
        eq(teeImage.teeType, teeNode.teeType),
        eq(teeImage.verifierId, teeNode.verifierId),
        eq(teeImage.generation, teeNode.imageGeneration),
      ),
    )
    .leftJoin(teeOperator, eq(teeOperator.address, teeNode.owner))
    .leftJoin(teeVerifier, eq(teeVerifier.id, teeNode.verifierId))
    .leftJoin(certificate, eq(certificate.id, teeNode.signerCertificate))
    .where(
      and(
        eq(teeNode.teeType, parameters.type),
        eq(teeNode.status, "enabled"),
        gt(teeNode.number, parameters.after),
      ),
    )
    .orderBy(asc(teeNode.number))
    .limit(BATCH);

  return rows.map(({ node, image, ...row }) => ({
    number: node.number,
    node,
    standing: {
      status: node.status,
      lastHeartbeatAt: node.lastHeartbeatAt,
      attestedAt: node.attestedAt,
      approvedAt: image?.approvedAt ?? null,
      revokedAt: image?.revokedAt ?? null,
      isOperatorDenied: row.isOperatorDenied ?? false,
      isEndorsed:
        row.certificateStore !== null &&
        row.verifierGeneration === node.verifierGeneration &&
        certificateStores.includes(row.certificateStore) &&
        row.certificateId !== null &&
        !row.isRevoked,
      heartbeatMaxAge: row.heartbeatMaxAge === null ? null : BigInt(row.heartbeatMaxAge),
      attestationMaxAge: row.attestationMaxAge === null ? null : BigInt(row.attestationMaxAge),
    },
  }));
}
