import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { contentId } from "@haca/protocol/blobs/blobId";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type BlobFolder, openBlobFolder } from "./blobFolder.ts";

let folder: string;
let blobs: BlobFolder;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "haca-blobs-"));
  blobs = await openBlobFolder({ folder, limits: { maximumBlob: 100, maximumTotal: 250 } });
});
afterEach(() => {
  blobs.close();
  rmSync(folder, { recursive: true });
});

const piecesOf = (...pieces: string[]) => Readable.from(pieces.map((piece) => Buffer.from(piece)));
const kept = () => readdirSync(folder).filter((name) => !name.startsWith("blobs."));

it("keeps a content that comes in pieces, and counts it once however often it comes", async () => {
  const id = contentId(Buffer.from("one two"));
  expect(await blobs.keep(piecesOf("one", " ", "two"))).toEqual({ id, isNew: true });
  expect(await blobs.keep(piecesOf("one two"))).toEqual({ id, isNew: false });
  expect([blobs.count(), blobs.total(), kept().length]).toEqual([1, 7, 1]);
  expect((await blobs.find(id))?.toString()).toBe("one two");
});

it.each([
  ["turns out to be too large", () => piecesOf("z".repeat(90), "z".repeat(90)), "blobs.tooLarge"],
  [
    "breaks off",
    () =>
      Readable.from(
        (async function* () {
          yield Buffer.from("z".repeat(90));
          throw Object.assign(new Error("gone"), { code: "ECONNRESET" });
        })(),
      ),
    "ECONNRESET",
  ],
])("counts and keeps nothing of a content that %s", async (_, content, code) => {
  await expect(blobs.keep(content())).rejects.toMatchObject({ code });
  expect([blobs.total(), kept()]).toEqual([0, []]);
});

it("refuses what does not fit any more, and takes what does", async () => {
  for (const letter of ["a", "b"]) await blobs.keep(piecesOf(letter.repeat(100)));
  const refused = blobs.keep(piecesOf("c".repeat(40), "c".repeat(40)));
  await expect(refused).rejects.toMatchObject({ code: "blobs.full" });
  expect((await blobs.keep(piecesOf("d".repeat(50)))).isNew).toBe(true);
  expect(blobs.total()).toBe(250);
});
