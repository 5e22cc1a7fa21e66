import { BlobError } from "@haca/protocol/blobs/blobError";
import { contentId } from "@haca/protocol/blobs/blobId";
import type { BlobStore } from "@haca/protocol/blobs/blobStore";
import { encodeLegacyBlob } from "@haca/protocol/blobs/legacyBlob";
import { hexlify, id, randomBytes } from "ethers";
import { pino } from "pino";
import { beforeEach, expect, it } from "vitest";
import {
  changeCall,
  formCalls,
  leaseCalls,
  releaseCall,
} from "../src/roles/facilitate/relayedCalls.ts";
import { createRenewPass } from "../src/roles/facilitate/renewBlobs.ts";
import type { Submission } from "../src/roles/facilitate/submission.ts";
import { acceptSubmission } from "../src/roles/facilitate/submissions.ts";
import { describeStores } from "./support/stores.ts";

const submission: Submission = {
  kind: "batch",
  teeId: id("node"),
  inputHash: id("input"),
  outputHash: id("output"),
  timestamp: 1_700_000_000n,
  teeSignature: hexlify(randomBytes(256)),
};
const { kind: _, ...leaf } = submission;
const CONTENT = encodeLegacyBlob([leaf]);
const OTHER_ID = contentId(new Uint8Array());

class ScriptedStore implements BlobStore {
  readonly puts: Uint8Array[] = [];
  failure: BlobError | undefined;
  id = contentId(CONTENT);
  async put({ bytes }: { bytes: Uint8Array }) {
    this.puts.push(bytes);
    if (this.failure !== undefined) throw this.failure;
    return { id: this.id, isNew: false };
  }
  async read<Content>({ check }: { id: string; check: (bytes: Uint8Array) => Content }) {
    return check(this.puts.at(-1) ?? new Uint8Array());
  }
}

describeStores("blobs of settled calls", (queue) => {
  let blobs: ScriptedStore;
  const renew = (owner = "renewer") =>
    createRenewPass({
      ...{ database: queue.database, blobs, owner, leaseSeconds: 60 },
      ...{ renewSeconds: 100, keepSeconds: 1_000, logger: pino({ level: "silent" }) },
    })();
  const age = (column: "stored_at" | "formed_at", seconds: number) =>
    queue.database.query(
      `UPDATE relayed_calls SET ${column} = now() - make_interval(secs => ${seconds})`,
    );
  const lastError = async () =>
    (await queue.database.query("SELECT last_error FROM relayed_calls"))[0]?.last_error;

  beforeEach(async () => {
    const { database } = queue;
    await database.execute("DELETE FROM submissions; DELETE FROM relayed_calls");
    blobs = new ScriptedStore();
    await acceptSubmission({ database, submission });
    await formCalls({ database, limits: { size: 1, maximumAgeSeconds: 0, idleSeconds: 0 } });
    const owner = "settler";
    const [call] = await leaseCalls({ database, owner, leaseSeconds: 60, limit: 1 });
    const shared = { database, owner, id: call?.id ?? "" };
    await changeCall({ ...shared, change: { state: "stored", blobId: blobs.id } });
    await changeCall({ ...shared, change: { state: "settled", transactionHash: id("x") } });
    await releaseCall(shared);
  });

  it("are stored again when they are old enough, and not before", async () => {
    await age("stored_at", 99);
    expect(await renew()).toBe(false);
    await age("stored_at", 101);
    expect(await renew()).toBe(true);
    expect(blobs.puts.map((bytes) => contentId(bytes))).toEqual([contentId(CONTENT)]);
    expect(await renew()).toBe(false);
  });

  it("are left alone when they need not be kept any longer", async () => {
    await age("stored_at", 101);
    await age("formed_at", 1_001);
    expect(await renew()).toBe(false);
  });

  it("rest after a failure, and are stored again later", async () => {
    await age("stored_at", 101);
    blobs.failure = new BlobError({ code: "blob.unreachable", message: "no" });
    await renew();
    expect(await lastError()).toContain("blob.unreachable");
    expect(await renew()).toBe(false);
    blobs.failure = undefined;
    await queue.database.query("UPDATE relayed_calls SET run_after = now()");
    expect(await renew()).toBe(true);
    expect(await lastError()).toBe(null);
    expect(await renew()).toBe(false);
  });

  it("count as renewed under the id that the chain has, and no other", async () => {
    await age("stored_at", 101);
    blobs.id = OTHER_ID;
    await renew();
    expect(await lastError()).toContain("blob.otherId");
    const [row] = await queue.database.query("SELECT blob_id FROM relayed_calls");
    expect(row?.blob_id).toBe(contentId(CONTENT));
  });

  it("are renewed by one of several", async () => {
    await age("stored_at", 101);
    const worked = await Promise.all(["a", "b", "c"].map(renew));
    expect(worked.filter(Boolean)).toHaveLength(1);
    expect(blobs.puts).toHaveLength(1);
  });
});
