import { certificate, certificateRevocation } from "ponder:schema";
import { zeroHash } from "viem";
import { isIndexed } from "./isIndexed.ts";
import { on } from "./on.ts";

if (isIndexed("CertificateStore")) {
  indexCertificates();
}

function indexCertificates(): void {
  on("CertificateStore:CertificateStored", async ({ event, context }) => {
    const { id, parentId, revocationKey, keyRevocationKey, notBefore, notAfter } = event.args;
    // A parent is stored before its children, the root in the store's own creation. Nothing revokes the root.
    const parent = await context.db.find(certificate, { id: parentId });
    const own = parentId === zeroHash ? [] : [revocationKey, keyRevocationKey];
    await context.db.insert(certificate).values({
      ...{ id, parentId, notBefore, notAfter },
      revocationPath: [...own, ...(parent?.revocationPath ?? [])],
      storedAt: event.block.timestamp,
    });
  });

  on("CertificateStore:CertificateRevoked", async ({ event, context }) => {
    const { revocationKey, id } = event.args;
    await context.db
      .insert(certificateRevocation)
      .values({ revocationKey, kind: "certificate", certificateId: id, ...whenOf(event) });
  });

  on("CertificateStore:KeyRevoked", async ({ event, context }) => {
    const { revocationKey, id } = event.args;
    await context.db
      .insert(certificateRevocation)
      .values({ revocationKey, kind: "key", certificateId: id, ...whenOf(event) });
  });

  on("CertificateStore:UnseenCertificateRevoked", async ({ event, context }) => {
    const { revocationKey, issuer, serial } = event.args;
    await context.db
      .insert(certificateRevocation)
      .values({ revocationKey, kind: "unseen", issuer, serial, ...whenOf(event) });
  });
}

const whenOf = (event: { block: { timestamp: bigint }; transaction: { hash: `0x${string}` } }) => ({
  revokedAt: event.block.timestamp,
  transactionHash: event.transaction.hash,
});
