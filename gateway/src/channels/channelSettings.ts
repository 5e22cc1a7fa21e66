/** How requests are paid by channel. */
export type ChannelSettings = {
  /** receiver and authorizer of the channels */
  gate: string;
  /** of the channels, in seconds */
  withdrawDelay: number;
  /** smallest units that a deposit has at least; undefined: what the request costs */
  minDeposit: bigint | undefined;
  /** smallest units that a payer is given back at least who asks for it; undefined: nobody is */
  minRefund: bigint | undefined;
};
