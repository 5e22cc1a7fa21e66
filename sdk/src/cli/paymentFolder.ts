import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "@haca/protocol/replaceFile";
import { type ChannelNote, readChannelNote } from "../pay/channel/channelNote.ts";
import { channelIdOf } from "../pay/channel/channelTypes.ts";
import type { PaymentJournal } from "../pay/journal.ts";
import { UsageError } from "./readInput.ts";

const MODES = { folder: 0o700, file: 0o600 } as const;

/** Payments as files of a folder, for their owner alone: whoever has one can bring it. @throws UsageError */
export function paymentFolder(folder: string): PaymentJournal {
  try {
    mkdirSync(folder, { recursive: true, mode: MODES.folder });
  } catch {
    throw new UsageError(`--payments: ${folder} cannot be made a folder`);
  }
  const pathOf = (name: string): string => join(folder, `${name}.json`);
  return {
    async read(name) {
      try {
        return readFileSync(pathOf(name), "utf8");
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
        throw new UsageError(`--payments: ${pathOf(name)} cannot be read`);
      }
    },
    async add(name, text) {
      // Whole or not there, and never over another's.
      const whole = `${pathOf(name)}.${randomBytes(8).toString("hex")}`;
      try {
        replaceFile({ path: whole, text, mode: MODES.file });
        linkSync(whole, pathOf(name));
      } finally {
        rmSync(whole, { force: true });
      }
    },
    async replace(name, text) {
      replaceFile({ path: pathOf(name), text, mode: MODES.file });
    },
  };
}

/** A channel of a journal, and the chain that it is on. */
export type NotedChannel = ChannelNote & { chainId: string };

const CHANNEL_FILE = /^(\d{1,15})-0x[0-9a-f]{40}-channel-(0x[0-9a-f]{64})\.json$/;

/** The channels that a journal in a folder has notes of, by their ids, and the files that should be such notes and are not. @throws UsageError */
export function channelsIn(folder: string): {
  notes: readonly NotedChannel[];
  unreadable: readonly string[];
} {
  const files = filesIn(folder);
  const notes = files.map((file) => noteIn(folder, file));
  return {
    notes: notes.filter((note) => note !== undefined),
    unreadable: files.flatMap(({ name }, at) => (notes[at] ? [] : [join(folder, name)])),
  };
}

/** Those of one id: what is in the notes of others does not matter. @throws UsageError, where one is no such note */
export const channelIn = (folder: string, channelId: string): readonly NotedChannel[] =>
  filesIn(folder)
    .filter((file) => file.channelId === channelId)
    .map((file) => {
      const note = noteIn(folder, file);
      if (note !== undefined) return note;
      throw new UsageError(
        `--payments: ${join(folder, file.name)} is not the note of that channel`,
      );
    });

type ChannelFile = Readonly<Record<"name" | "chainId" | "channelId", string>>;

function noteIn(
  folder: string,
  { chainId, channelId, name }: ChannelFile,
): NotedChannel | undefined {
  try {
    const note = readChannelNote(readFileSync(join(folder, name), "utf8"));
    // Whatever is sent for a channel is of all that its id is made of.
    const isIt = channelIdOf(chainId, note.channel) === channelId && note.channelId === channelId;
    return isIt ? { ...note, chainId } : undefined;
  } catch {
    return undefined;
  }
}

const filesIn = (folder: string): readonly ChannelFile[] =>
  namesIn(folder).flatMap((name) => {
    const [, chainId = "", channelId = ""] = CHANNEL_FILE.exec(name) ?? [];
    return channelId === "" ? [] : [{ name, chainId, channelId }];
  });

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    throw new UsageError(`--payments: ${folder} is no folder that can be read`);
  }
}
