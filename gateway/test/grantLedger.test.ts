import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { Grant } from "../src/payments/grant.ts";
import { GrantLedger } from "../src/payments/grantLedger.ts";

const grant = (changes: Partial<Grant> = {}): Grant => ({
  ...{ id: "escrow:0xaa:1", route: "escrow", payer: "0xaa", nonce: "1", amount: "5" },
  ...{ requestHash: "0x", contentHash: "c", validUntil: "9", state: "opening" },
  ...{ transaction: null, at: Date.now(), ...changes },
});

function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "haca-ledger-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}
async function openLedger(folder: string): Promise<GrantLedger> {
  const ledger = await GrantLedger.open(folder);
  onTestFinished(() => ledger.close());
  return ledger;
}
const journal = (folder: string) => join(folder, "payments.journal");

it("a grant is there as it was last, in another process as well; one that was forgotten is not", async () => {
  const folder = temporaryFolder();
  const ledger = await openLedger(folder);
  const other = grant({ id: "escrow:0xaa:2", nonce: "2" });
  await Promise.all([ledger.put(grant()), ledger.put(other)]);
  await ledger.put(grant({ state: "granted", transaction: "0xt" }));
  await ledger.forget(other.id);
  const again = await openLedger(folder);
  expect(again.all()).toMatchObject([{ state: "granted", transaction: "0xt" }]);
  expect(again.of("0xaa")).toEqual(again.all());
});

it("half a line at the end is none: nobody was told of it", async () => {
  const folder = temporaryFolder();
  await (await openLedger(folder)).put(grant());
  appendFileSync(journal(folder), '{"id":"esc');
  expect((await openLedger(folder)).all()).toHaveLength(1);
});

it("a line that is no grant ends the start, by its number", async () => {
  const folder = temporaryFolder();
  writeFileSync(journal(folder), `${JSON.stringify(grant())}\n{"id":1}\n`);
  await expect(GrantLedger.open(folder)).rejects.toMatchObject({
    ...{ code: "payments.malformed", message: expect.stringContaining("line 2") },
  });
});

it("what is over is kept for a day, what is not for as long as it takes", async () => {
  const folder = temporaryFolder();
  const ledger = await openLedger(folder);
  const at = Date.now() - 86_400_001;
  await ledger.put(grant({ state: "ended", at }));
  await ledger.put(grant({ id: "exact:0xaa:1", route: "exact", state: "granted", at }));
  await ledger.put(grant({ id: "exact:0xaa:2", route: "exact", state: "opening", at }));
  // Its key is gone, or will be: refused requests of relays' clients would stay for ever.
  const isSealed = true as const;
  await ledger.put(grant({ id: "exact:0xaa:3", route: "exact", state: "granted", at, isSealed }));
  expect((await openLedger(folder)).all().map(({ id }) => id)).toEqual(["exact:0xaa:1"]);
  expect(readFileSync(journal(folder), "utf8").split("\n")).toHaveLength(2);
});

it("once it is closed, all that was to be noted is on disk, and nothing is noted any more", async () => {
  const folder = temporaryFolder();
  const ledger = await openLedger(folder);
  const noted = ledger.put(grant());
  await ledger.close();
  const before = readFileSync(journal(folder), "utf8");
  expect(before).toContain("escrow:0xaa:1");
  await noted;
  const other = grant({ id: "escrow:0xaa:2" });
  for (let time = 0; time < 2; time += 1) {
    await expect(ledger.put(other)).rejects.toThrow("payments.journal is closed");
  }
  expect(readFileSync(journal(folder), "utf8")).toBe(before);
  expect(ledger.find(other.id)).toBeUndefined();
});

it("a name is its request's for a day, whether the process was started anew or not", async () => {
  const folder = temporaryFolder();
  const ledger = await openLedger(folder);
  const named = { by: "n", same: "", salt: "" };
  await ledger.put(grant({ state: "answered", named }));
  expect(ledger.namedBy("0xaa", "n")).toMatchObject({ named });
  await ledger.put(grant({ state: "answered", named, at: Date.now() - 86_400_001 }));
  for (const it of [ledger, await openLedger(folder)]) {
    expect(it.namedBy("0xaa", "n")).toBeUndefined();
  }
});
