import { type ChannelVoucher, channelIdOf } from "@haca/protocol/channels";
import type { Database } from "../storage/database.ts";

const ADD = `INSERT INTO channels (
  channel_id, gate, payer, payer_authorizer, token, withdraw_delay, salt, amount, signature
) VALUES ($1, $2, $3, $4, $5, $6::bigint, $7, $8::numeric, $9)
ON CONFLICT (channel_id) DO UPDATE SET amount = EXCLUDED.amount, signature = EXCLUDED.signature
WHERE channels.amount < EXCLUDED.amount`;
const ADD_RESULT = `INSERT INTO channel_results (request_id, channel_id) VALUES ($1, $2)
ON CONFLICT (request_id) DO NOTHING`;

/** A voucher, and the id of its channel. */
export type KnownVoucher = ChannelVoucher & { channelId: string };

export const knownVoucher = (voucher: ChannelVoucher, chainId: bigint): KnownVoucher => ({
  ...voucher,
  channelId: channelIdOf({ chainId, channel: voucher.channel }),
});

/** Notes the vouchers that came with results; of each channel the highest stays. */
export async function addVouchers(parameters: {
  database: Pick<Database, "query">;
  jobs: readonly { requestId: string; voucher?: KnownVoucher }[];
}): Promise<void> {
  const { database, jobs } = parameters;
  const paid = jobs.flatMap(({ requestId, voucher }) => (voucher ? [{ requestId, voucher }] : []));
  // In the order of their ids, so that two lists that come at the same time cannot wait for each other.
  paid.sort((a, b) => (a.voucher.channelId < b.voucher.channelId ? -1 : 1));
  for (const { requestId, voucher } of paid) {
    const { channel, channelId, maxClaimableAmount, signature } = voucher;
    const { payer, payerAuthorizer, receiver, salt, token, withdrawDelay } = channel;
    const addresses = [receiver, payer, payerAuthorizer, token].map((text) => text.toLowerCase());
    await database.query(ADD, [
      ...[channelId, ...addresses, String(withdrawDelay), salt],
      ...[String(maxClaimableAmount), signature],
    ]);
    await database.query(ADD_RESULT, [requestId, channelId]);
  }
}
