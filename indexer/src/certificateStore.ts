import { ponder } from "ponder:registry";
import { certificate, certificateRevocation } from "ponder:schema";
import { isIndexed } from "./isIndexed.ts";

if (isIndexed("CertificateStore")) {
  indexCertificates();
}

function indexCertificates(): void {
  ponder.on("CertificateStore:CertificateStored", async ({ event, context }) => {
    const { id, parentId, revocationKey, notBefore, notAfter } = event.args;
    // A parent is stored before its children, the root in the store's own creation.
    const parent = await context.db.find(certificate, { id: parentId });
    await context.db.insert(certificate).values({
      ...{ id, parentId, notBefore, notAfter },
      revocationPath: [revocationKey, ...(parent?.revocationPath ?? [])],
      storedAt: event.block.timestamp,
    });
  });

  ponder.on("CertificateStore:CertificateRevoked", async ({ event, context }) => {
    await context.db.insert(certificateRevocation).values({
      revocationKey: event.args.revocationKey,
      issuer: event.args.issuer,
      serial: event.args.serial,
      revokedAt: event.block.timestamp,
      transactionHash: event.transaction.hash,
    });
  });
}
