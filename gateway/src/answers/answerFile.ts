import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import { commerceJobTextSchema } from "@haca/protocol/commerceJobText";
import { z } from "zod";
import type { SignedResult } from "../profile/signAnswer.ts";

const CIPHER = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const NEWLINE = 0x0a;
/** More than the first line of a file has. */
const MAXIMUM_HEADER = 16_384;

/** An answer as it was sent, for whoever sends the same request again under the same key. */
export type StoredAnswer = { type: string; salt: string; text: string };

/** What a client's `idempotency-key` and its request make: where the answer lies, whether it is the same, what opens it. */
export type Repeat = {
  /** of the key alone, as hex: one file a key */
  name: string;
  /** of key and request, as hex; says whether they are the same, and nothing else of them */
  mark: string;
  /** of key and request, 32 bytes: whoever has not both reads no answer */
  secret: Buffer;
};

const text = z.string();
const headerSchema = z.strictObject({
  mark: text,
  result: z.strictObject({
    message: z.strictObject({
      ...{ modelVersion: text, inputHash: text, outputHash: text, requester: text },
      ...{ requestId: text, price: text, timestamp: text, teeId: text },
    }),
    signature: text,
    payment: z
      .union([
        z.strictObject({ payer: text, nonce: text, validUntil: text }),
        z.strictObject({ job: commerceJobTextSchema }),
      ])
      .optional(),
    voucher: z
      .strictObject({
        channel: z.strictObject({
          ...{ payer: text, payerAuthorizer: text, receiver: text, receiverAuthorizer: text },
          ...{ token: text, withdrawDelay: z.int(), salt: text },
        }),
        ...{ maxClaimableAmount: text, signature: text },
      })
      .optional(),
  }),
});
const answerSchema = z.strictObject({ type: text, salt: text, text });

/** The first line of a file: what can be read without key and request. */
export type AnswerHeader = { mark: string; result: SignedResult };

/** Of the file under a key. */
export const nameOf = (key: string): string =>
  createHash("sha256").update(`haca answer\n${key}`).digest("hex");

/** @param parameters.request everything that makes a request the same */
export function repeatOf(parameters: { key: string; request: Uint8Array }): Repeat {
  const { key, request } = parameters;
  const input = createHash("sha256").update(request).digest();
  const derive = (use: string) => Buffer.from(hkdfSync("sha256", input, key, use, 32));
  return {
    name: nameOf(key),
    mark: derive("haca answer mark").toString("hex"),
    secret: derive("haca answer secret"),
  };
}

/** A file: its header as a line of JSON, and the answer sealed by AES-256-GCM under what only key and request give. */
export function sealAnswer(parameters: {
  repeat: Repeat;
  answer: StoredAnswer;
  result: SignedResult;
}): Buffer {
  const { answer, repeat, result } = parameters;
  const header: AnswerHeader = { mark: repeat.mark, result };
  const line = Buffer.from(`${JSON.stringify(header)}\n`);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, repeat.secret, nonce).setAAD(line);
  const sealed = Buffer.concat([cipher.update(JSON.stringify(answer)), cipher.final()]);
  return Buffer.concat([line, nonce, cipher.getAuthTag(), sealed]);
}

/** @throws where it was sealed for another request, or is not whole */
export function openAnswer(
  bytes: Buffer,
  repeat: Repeat,
): { answer: StoredAnswer; result: SignedResult } {
  const { header, length } = headerOf(bytes);
  const [nonce, tag] = [length, length + NONCE_BYTES];
  const sealed = tag + TAG_BYTES;
  const decipher = createDecipheriv(CIPHER, repeat.secret, bytes.subarray(nonce, tag))
    .setAAD(bytes.subarray(0, length))
    .setAuthTag(bytes.subarray(tag, sealed));
  const opened = Buffer.concat([decipher.update(bytes.subarray(sealed)), decipher.final()]);
  return {
    answer: answerSchema.parse(JSON.parse(opened.toString())),
    result: header.result,
  };
}

/** The result in a file, which needs neither key nor request. @throws where it has none */
export const resultIn = (bytes: Buffer): SignedResult => headerOf(bytes).header.result;

/** The header of a file, and the file's size. @throws where it has none */
export async function readHeader(path: string): Promise<{ header: AnswerHeader; size: number }> {
  const file = await open(path, "r");
  try {
    const buffer = Buffer.alloc(MAXIMUM_HEADER);
    const { bytesRead } = await file.read(buffer, 0, MAXIMUM_HEADER, 0);
    const { size } = await file.stat();
    return { header: headerOf(buffer.subarray(0, bytesRead)).header, size };
  } finally {
    await file.close();
  }
}

function headerOf(bytes: Buffer): { header: AnswerHeader; length: number } {
  const length = bytes.indexOf(NEWLINE) + 1;
  const header = headerSchema.parse(JSON.parse(bytes.subarray(0, length).toString()));
  return { header, length };
}
