/** What a page's row says that its state follows from. Times are unix seconds. */
export type PageStanding = {
  outcome: "open" | "released" | "rejected" | "disproved";
  openRequests: number;
  openDemands: number;
  end: bigint;
};

export type PageState = "pending" | "final" | "rejected" | "disproved";

/**
 * What `PageSettlement.stateOfPage` would answer if the block's time were `at` and its state that of the row. `until` is the
 * last second in which the page is pending; null where it is not, or while somebody waits for a leaf or a proof.
 */
export function pageState(parameters: { page: PageStanding; at: bigint }): {
  state: PageState;
  until: bigint | null;
} {
  const { at, page } = parameters;
  const { end, openDemands, openRequests, outcome } = page;
  if (outcome === "rejected" || outcome === "disproved") return { state: outcome, until: null };
  if (openRequests > 0 || openDemands > 0) return { state: "pending", until: null };
  return at > end ? { state: "final", until: null } : { state: "pending", until: end };
}

/** Seconds for which the clock of a page stands now, at a time: it does while a proof is demanded. */
export const standingTime = (parameters: {
  page: { openDemands: number; stoppedAt: bigint | null };
  at: bigint;
}): bigint => {
  const { openDemands, stoppedAt } = parameters.page;
  return openDemands > 0 && stoppedAt !== null ? parameters.at - stoppedAt : 0n;
};

/** What a final page is worth, in words that say no more than was checked; null for one that is not final. */
export function worthOf(parameters: {
  page: { kind: "tee" | "optimistic"; attestedAt: bigint | null };
  state: PageState;
}): string | null {
  const { page, state } = parameters;
  if (state !== "final") return null;
  if (page.kind === "optimistic") return "optimistic, unchallenged";
  return page.attestedAt === null
    ? "unchallenged"
    : "vouched for by two thirds of the stake, unchallenged";
}
