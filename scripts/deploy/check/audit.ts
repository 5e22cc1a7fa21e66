import type { Block, ChainReader, Transaction } from "../reader/chainReader.ts";
import type { Discovered } from "./discover.ts";
import type { Change } from "./events.ts";
import { type Finding, finding, notice, unexpected } from "./finding.ts";

/** What every part of the check works with. */
export type Audit = Discovered & {
  reader: ChainReader;
  head: Block;
  /** a chain that is thrown away: what would be unsafe on another is only told */
  isDevelopmentChain: boolean;
  /** transactions that created contracts themselves */
  creations: Map<string, Transaction>;
  /** constructor arguments as they were sent, by address */
  constructed: Map<string, readonly unknown[]>;
  findings: Finding[];
};

/** Something that holds power or sets its bounds: what it was deployed as, what it is now, and what changed it. */
export type Fact = {
  subject: string;
  expected: string;
  actual: string;
  changes: readonly Change[];
};

/**
 * A fact is as this repository deploys it; or its last change was decided by those who may, which is told; or it is
 * a finding. So is one that somebody else changed after the hand-over, even if it was changed back.
 */
export function judgeFacts(audit: Audit, facts: readonly Fact[]): void {
  const { findings, history } = audit;
  for (const { subject, expected, actual, changes } of facts) {
    const stray = changes.find(
      (change) => history.isAfterHandover(change) && history.decisionOf(change) === undefined,
    );
    const isAsDeployed = expected.toLowerCase() === actual.toLowerCase();
    if (isAsDeployed && stray === undefined) {
      findings.push(finding(subject, expected, actual));
      continue;
    }
    const last = stray ?? changes.at(-1);
    const decision = last && stray === undefined ? history.decisionOf(last) : undefined;
    if (decision !== undefined) {
      findings.push(notice(subject, `${expected} when deployed, now ${actual}: ${decision}`));
      continue;
    }
    findings.push(unexpected(subject, expected, `${actual}${originOf(last)}`));
  }
}

const originOf = (change: Change | undefined): string =>
  change === undefined
    ? ""
    : ` (${change.event} in block ${change.block}, transaction ${change.transaction}, by no decision of governance)`;
