/** What a page's row says that its state follows from. Times are unix seconds. */
export type PageStanding = {
  outcome: "open" | "released" | "rejected" | "disproved";
  openRequests: number;
  end: bigint;
};

export type PageState = "pending" | "final" | "rejected" | "disproved";

/**
 * What `PageSettlement.stateOfPage` would answer if the block's time were `at` and its state that of the row. `until` is the
 * last second in which the page is pending; null where it is not, or while somebody waits for a leaf.
 */
export function pageState(parameters: { page: PageStanding; at: bigint }): {
  state: PageState;
  until: bigint | null;
} {
  const { at, page } = parameters;
  const { end, openRequests, outcome } = page;
  if (outcome === "rejected" || outcome === "disproved") return { state: outcome, until: null };
  if (openRequests > 0) return { state: "pending", until: null };
  return at > end ? { state: "final", until: null } : { state: "pending", until: end };
}
