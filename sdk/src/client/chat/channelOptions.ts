import { tls } from "#send";
import { optionError } from "../optionError.ts";

/**
 * When a stream gives what a node says: `signed`, once the whole answer is verified; `channel`, text as it comes over a channel that
 * ends in an attested enclave, which the end confirms, or the stream throws.
 */
export type Release = "signed" | "channel";

export type ChannelOptions = {
  /**
   * `attested`: asks over TLS whose certificate the node's enclave attests, and over nothing else; `oblivious`: seals the request to a key
   * that the enclave has signed, so that nobody else on the way can read it
   */
  channel?: "attested" | "oblivious";
  /** `signed` if left out; `channel` asks over a channel that ends in the enclave, an attested one where none is named */
  release?: Release;
};
/** The same, looked at. */
export type ReadChannel = { isChannelAttested: boolean; isOblivious: boolean; release: Release };

const NONE: ReadChannel = { isChannelAttested: false, isOblivious: false, release: "signed" };

/**
 * Refuses what asks nodes in plain, of a client whose requests are oblivious: it would show them who asks.
 * @throws BaseError `option.wrong`
 */
export function refuseOblivious(
  client: { isOblivious: boolean; relay: URL | undefined },
  what: string,
): void {
  if (!client.isOblivious && client.relay === undefined) return;
  const reason = `${what} is no oblivious request, and shows the node who asks: make another client for it`;
  throw optionError(client.isOblivious ? "channel" : "relay", reason);
}

/**
 * @param before whose options count where these say nothing
 * @throws BaseError `option.wrong`, also where programs are shown no certificate
 */
export function readChannel(options: ChannelOptions, before = NONE): ReadChannel {
  const { channel, release = before.release } = options;
  if (channel !== undefined && channel !== "attested" && channel !== "oblivious") {
    throw optionError("channel", 'must be "attested" or "oblivious", or left out');
  }
  if (release !== "signed" && release !== "channel") {
    throw optionError("release", 'must be "signed" or "channel"');
  }
  const isByChannel = release === "channel";
  const isOblivious = channel === undefined ? before.isOblivious : channel === "oblivious";
  if (isOblivious) return { isChannelAttested: false, isOblivious, release };
  const isAttested = before.isChannelAttested || channel !== undefined || isByChannel;
  if (isAttested && tls === undefined) {
    const reason = "there is no attested channel here: a page is shown no certificate";
    throw optionError(isByChannel ? "release" : "channel", reason);
  }
  return { isChannelAttested: isAttested, isOblivious, release };
}
