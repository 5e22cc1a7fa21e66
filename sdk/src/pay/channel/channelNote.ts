import { BaseError } from "@haca/protocol/baseError";
import type { Channel, ChannelDeposit } from "./channelTypes.ts";

/** What a journal keeps of a channel, before anything that is signed for it leaves. Sums are smallest units. */
export type ChannelNote = {
  version: 1;
  channelId: string;
  channel: Channel;
  /** what its answers have cost in all, as was told last */
  charged: string;
  /** of the highest voucher that was signed: so much may be claimed at most */
  signed: string;
  /** what is in it, as was told last */
  balance: string;
  /** what was signed to bring more in, and is not known to be there */
  deposit: ChannelDeposit | null;
};

const DIGITS = /^\d{1,39}$/;

/** A note of the journal, which is the payer's own. @throws BaseError `payment.journal` for what is none */
export function readChannelNote(text: string): ChannelNote {
  try {
    const note = JSON.parse(text) as ChannelNote;
    const sums = [note.charged, note.signed, note.balance];
    const isNote = note.version === 1 && typeof note.channel.salt === "string";
    if (isNote && sums.every((sum) => DIGITS.test(sum))) return note;
  } catch {
    // Said below.
  }
  throw new BaseError({
    code: "payment.journal",
    message: "the journal of payments has something else under this channel than its note",
  });
}
