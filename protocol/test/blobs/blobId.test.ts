import { expect, it } from "vitest";
import {
  blobIdFromLegacyBytes,
  blobIdFromWord,
  blobIdToLegacyBytes,
  blobIdToWord,
  contentId,
  isBlobId,
} from "../../src/blobs/blobId.ts";
import { catchError } from "../catchError.ts";

const ID = contentId(new Uint8Array());

it("is the SHA-256 of a content in base64url", () => {
  expect(ID).toBe("47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
  expect(blobIdToWord(ID)).toBe(
    "0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  );
});

it("becomes a word and legacy bytes, and comes back", () => {
  expect(blobIdFromWord(blobIdToWord(ID))).toBe(ID);
  expect(blobIdToLegacyBytes(ID)).toBe(`0x${Buffer.from(ID, "utf8").toString("hex")}`);
  expect(blobIdFromLegacyBytes(blobIdToLegacyBytes(ID))).toBe(ID);
});

it("has one spelling: the two bits that 43 characters have too many are zero", () => {
  expect(isBlobId(ID)).toBe(true);
  expect(isBlobId(`${ID.slice(0, 42)}V`)).toBe(false);
});

it.each([
  () => blobIdToWord("short"),
  () => blobIdToLegacyBytes(`${ID}=`),
  () => blobIdFromWord("0x12"),
  () => blobIdFromLegacyBytes("0xff"),
  () => blobIdFromLegacyBytes(blobIdToWord(ID)),
])("is refused where it is none: %s", (action) => {
  expect(catchError(action).code).toBe("blob.badId");
});
