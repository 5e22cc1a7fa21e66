/** What it takes to be paid by channels. */
export type ChannelPorts = {
  /** rest between two looks at a result or a channel */
  lookSeconds: number;
  /** how long what was counted waits for more to be claimed with */
  claimSeconds: number;
  /** addresses that ChannelGates has shown to be gates, which they stay */
  knownGates: Set<string>;
};
