/** What it takes to be paid by channels. */
export type ChannelPorts = {
  /** rest between two looks at a result or a channel */
  lookSeconds: number;
  /** longer than it takes to send a transaction: what is being sent no other process of the queue looks at before */
  sendingSeconds: number;
  /** how long what was counted waits for more to be claimed with */
  claimSeconds: number;
  /** addresses that ChannelGates has shown to be gates, which they stay */
  knownGates: Set<string>;
};
