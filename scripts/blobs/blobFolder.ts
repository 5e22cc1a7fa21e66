import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { BaseError } from "@haca/protocol/baseError";
import { blobIdFromWord, blobIdToWord, contentId } from "@haca/protocol/blobs/blobId";
import type { StoredBlob } from "@haca/protocol/blobs/blobStore";
import { lockFolder } from "@haca/protocol/lockFolder";

/** A content is in a file named by its SHA-256 in hex: nothing that a client sends becomes part of a path. */
const BLOB_FILE = /^[0-9a-f]{64}$/;
const DRAFT_FILE = /^[0-9a-f-]{36}\.draft$/;

export type Limits = {
  /** bytes of one content */
  maximumBlob: number;
  /** bytes of all contents, those on their way included */
  maximumTotal: number;
};

/** Contents by their hash, in a folder that this process has to itself. */
export type BlobFolder = {
  /**
   * Keeps a content. When this returns it is on disk, file and folder entry.
   * Errors: `blobs.tooLarge`, `blobs.full`; nothing is kept then, nor where `content` breaks off.
   */
  keep(content: Readable): Promise<StoredBlob>;
  /** The content of an id, or undefined. Errors: `blob.badId`, `blobs.damaged` where the disk has changed it. */
  find(id: string): Promise<Buffer | undefined>;
  count(): number;
  /** bytes kept */
  total(): number;
  close(): void;
};

/**
 * Opens a folder of blobs, makes it where there is none, and removes what an earlier process had not finished.
 * Errors: `folder.locked`, `folder.unusable`.
 */
export async function openBlobFolder(parameters: {
  folder: string;
  limits: Limits;
}): Promise<BlobFolder> {
  const { folder, limits } = parameters;
  const lock = lockFolder({ folder, name: "blobs" });
  try {
    await mkdir(folder, { recursive: true });
    const sizes = await readSizes(folder);
    let used = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    /** Counts bytes as they come, so that many uploads at a time cannot pass the limit together. */
    const take = (length: number): void => {
      if (used + length > limits.maximumTotal) throw full(limits);
      used += length;
    };
    return {
      async keep(content) {
        const draft = join(folder, `${randomUUID()}.draft`);
        let length = 0;
        try {
          const hash = createHash("sha256");
          const file = await open(draft, "wx");
          try {
            // The rest of a content that is refused is left to whoever reads the connection.
            for await (const chunk of content.iterator({ destroyOnReturn: false })) {
              if (length + chunk.length > limits.maximumBlob) throw tooLarge(limits);
              take(chunk.length);
              length += chunk.length;
              hash.update(chunk);
              await file.writeFile(chunk);
            }
            await file.sync();
          } finally {
            await file.close();
          }
          const name = hash.digest("hex");
          // Also where it is there already: an undamaged content takes the place of a damaged one.
          await rename(draft, join(folder, name));
          const earlier = sizes.get(name);
          sizes.set(name, length);
          used -= earlier ?? 0;
          length = 0;
          await syncEntry(folder);
          return { id: blobIdFromWord(`0x${name}`), isNew: earlier === undefined };
        } catch (error) {
          used -= length;
          await rm(draft, { force: true });
          throw error;
        }
      },
      async find(id) {
        const name = blobIdToWord(id).slice(2);
        if (!sizes.has(name)) return undefined;
        const bytes = await readFile(join(folder, name));
        if (contentId(bytes) === id) return bytes;
        throw new BaseError({
          code: "blobs.damaged",
          message: `${join(folder, name)} is not what was stored: put the content again`,
        });
      },
      count: () => sizes.size,
      total: () => used,
      close: () => lock.release(),
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function readSizes(folder: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (DRAFT_FILE.test(name)) await rm(path, { force: true });
    else if (BLOB_FILE.test(name)) sizes.set(name, (await stat(path)).size);
  }
  return sizes;
}

/** A new name in a folder is on disk when the folder is. */
async function syncEntry(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const tooLarge = ({ maximumBlob }: Limits): BaseError =>
  new BaseError({
    code: "blobs.tooLarge",
    message: `a blob has at most ${maximumBlob} bytes`,
  });

const full = ({ maximumTotal }: Limits): BaseError =>
  new BaseError({
    code: "blobs.full",
    message: `the store is full: it holds at most ${maximumTotal} bytes`,
  });
