/**
 * x402's contract of the scheme `batch-settlement`, as it is published, on every chain that has it. Stock clients hash this
 * address into their channels, and know no other.
 */
export const BATCH_SETTLEMENT_ADDRESS = "0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003";

/** What collects deposits by EIP-3009 for that contract, as it is published. */
export const ERC3009_COLLECTOR_ADDRESS = "0x4020806089470a89826cB9fB1f4059150b550004";

/** The same for deposits by Permit2: the tokens go to that contract at once. */
export const PERMIT2_COLLECTOR_ADDRESS = "0x4020425FAf3B746C082C2f942b4E5159887B0005";

/** EIP-712 domain of that contract, but for chain and address. */
export const CHANNEL_DOMAIN = { name: "x402 Batch Settlement", version: "1" };

/** EIP-712 type whose hash is a channel's id. */
export const CHANNEL_TYPES = {
  ChannelConfig: [
    { name: "payer", type: "address" },
    { name: "payerAuthorizer", type: "address" },
    { name: "receiver", type: "address" },
    { name: "receiverAuthorizer", type: "address" },
    { name: "token", type: "address" },
    { name: "withdrawDelay", type: "uint40" },
    { name: "salt", type: "bytes32" },
  ],
};

/** EIP-712 type that a payer signs: so much may be claimed of a channel in all. */
export const VOUCHER_TYPES = {
  Voucher: [
    { name: "channelId", type: "bytes32" },
    { name: "maxClaimableAmount", type: "uint128" },
  ],
};
