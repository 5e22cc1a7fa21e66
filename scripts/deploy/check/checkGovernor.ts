import { ZeroAddress } from "ethers";
import { type Audit, type Fact, judgeFacts } from "./audit.ts";
import { ask } from "./discover.ts";
import { escrowFacts } from "./escrowFacts.ts";
import { finding, notice, parameter, unexpected } from "./finding.ts";
import type { Holders } from "./holders.ts";

/** Settings of governor and settlement: as they were constructed, or changed by governance since. */
export async function checkGovernor(audit: Audit, holders: Holders): Promise<void> {
  judgeFacts(audit, [
    ...(await settlementFacts(audit)),
    ...(await governorFacts(audit, holders.governor)),
  ]);
}

async function settlementFacts(audit: Audit): Promise<Fact[]> {
  const { history, reader, constructed, contracts, names } = audit;
  const settlement = contracts.get("InferenceSettlement");
  if (settlement === undefined) return [];
  const window = await ask(reader, settlement, "function settlementWindow() view returns (uint64)");
  const initial = constructed.get(settlement)?.[2];
  audit.findings.push(parameter("settlement window", `${initial} s`));
  return [
    {
      subject: "InferenceSettlement.settlementWindow",
      expected: `${initial} s`,
      actual: `${window} s`,
      changes: history.of(settlement, "SettlementWindowChanged").slice(1),
    },
    {
      subject: "InferenceSettlement.teeRegistry",
      expected: names.of(contracts.get("TEERegistry") ?? ZeroAddress),
      actual: names.of(
        String(await ask(reader, settlement, "function teeRegistry() view returns (address)")),
      ),
      changes: history.of(settlement, "TEERegistrySet").slice(1),
    },
    ...(await writerFacts(audit, settlement)),
    ...(await pageFacts(audit)),
    ...(await stakeFacts(audit)),
    ...(await feedFacts(audit)),
    ...(await escrowFacts(audit)),
  ];
}

const PARAMETERS =
  "function parametersNow() view returns ((uint24 longRoad, uint24 shortRoad, uint24 resultWindow, uint88 minimumDeposit))";
const inWords = (parameters: unknown): string => {
  const [longRoad, shortRoad, resultWindow, minimumDeposit] = Array.from(
    parameters as Iterable<bigint>,
  );
  return `${longRoad} s, ${shortRoad} s, ${resultWindow} s, ${minimumDeposit}`;
};

/** Roads, window and amounts of pages, and who may take a page to the short road: at first nobody. */
async function pageFacts(audit: Audit): Promise<Fact[]> {
  const pages = audit.contracts.get("PageSettlement");
  if (pages === undefined) return [];
  return [
    await parameterFact(audit, {
      ...{ contract: "PageSettlement", address: pages, place: 4 },
      ...{ signature: PARAMETERS, inWords },
    }),
    await namedFact(audit, {
      ...{ subject: "PageSettlement.attester", address: pages, event: "AttesterChanged" },
      signature: "function attester() view returns (address)",
    }),
  ];
}

const STAKE_PARAMETERS =
  "function parametersNow() view returns ((uint96, uint96, uint16, uint16, uint16, uint96))";

/** What validators need and can lose, and who gets staking rewards: at first nobody. */
async function stakeFacts(audit: Audit): Promise<Fact[]> {
  const staking = audit.contracts.get("ValidatorStaking");
  const router = audit.contracts.get("RewardRouter");
  if (staking === undefined || router === undefined) return [];
  return [
    await parameterFact(audit, {
      ...{ contract: "ValidatorStaking", address: staking, place: 3 },
      signature: STAKE_PARAMETERS,
      inWords: (parameters) => Array.from(parameters as Iterable<bigint>).join(", "),
    }),
    await namedFact(audit, {
      ...{ subject: "RewardRouter.recipient", address: router, event: "RecipientChanged" },
      signature: "function recipient() view returns (address)",
    }),
  ];
}

type FeedParameters = readonly [heartbeat: bigint, deviation: bigint, observations: bigint];
const FEED =
  "function feedOf(bytes32) view returns ((string description, uint8 decimals, bytes32 sourceHash, bool isClosed, uint80 latestRound, (uint32, uint16, uint8) parameters))";

/** Feeds that governance has created, their parameters, and whether they are open: at first there is none. */
async function feedFacts(audit: Audit): Promise<Fact[]> {
  const { contracts, history, reader } = audit;
  const feeds = contracts.get("DataFeeds");
  if (feeds === undefined) return [];
  const created = history.of(feeds, "FeedCreated");
  const facts: Fact[] = [
    {
      ...{ subject: "DataFeeds.feedCount", expected: "0", changes: created },
      actual: String(await ask(reader, feeds, "function feedCount() view returns (uint256)")),
    },
  ];
  for (const { args } of created) {
    const feedId = String(args.feedId);
    const feed = (await ask(reader, feeds, FEED, feedId)) as
      | { isClosed: boolean; parameters: FeedParameters }
      | undefined;
    const ofFeed = (event: string) =>
      history.of(feeds, event).filter((change) => change.args.feedId === feedId);
    facts.push(
      {
        subject: `DataFeeds: parameters of ${feedId}`,
        expected: Array.from(args.parameters as FeedParameters).join(", "),
        actual: Array.from(feed?.parameters ?? []).join(", "),
        changes: ofFeed("FeedParametersChanged"),
      },
      {
        ...{ subject: `DataFeeds: ${feedId}`, expected: "open", changes: ofFeed("FeedClosed") },
        actual: feed?.isClosed === false ? "open" : "closed",
      },
    );
  }
  return facts;
}

/** Parameters as a contract was constructed with, at a place of its arguments, and as they are. */
async function parameterFact(
  audit: Audit,
  of: {
    contract: string;
    address: string;
    place: number;
    signature: string;
    inWords: (parameters: unknown) => string;
  },
): Promise<Fact> {
  const { address, contract, inWords, place, signature } = of;
  const initial = audit.constructed.get(address)?.[place];
  return {
    subject: `${contract}.parameters`,
    expected: initial === undefined ? "unknown" : inWords(initial),
    actual: inWords(await ask(audit.reader, address, signature)),
    changes: audit.history.of(address, "ParametersChanged").slice(1),
  };
}

/** Whom governance has named for something: at first nobody. */
async function namedFact(
  audit: Audit,
  of: { subject: string; address: string; event: string; signature: string },
): Promise<Fact> {
  const { address, event, signature, subject } = of;
  return {
    subject,
    expected: "nobody",
    actual: audit.names.of(String(await ask(audit.reader, address, signature))),
    changes: audit.history.of(address, event),
  };
}

/** Contracts that may hold requests, or ever might: a deployment starts with that of the pages. */
async function writerFacts(audit: Audit, settlement: string): Promise<Fact[]> {
  const { history, reader, names, contracts } = audit;
  const changes = history.of(settlement, "LedgerWriterChanged");
  const facts: Fact[] = [];
  for (const writer of new Set(changes.map(({ args }) => String(args.writer)))) {
    const fragment = "function isLedgerWriter(address) view returns (bool)";
    const isWriter = await ask(reader, settlement, fragment, writer);
    const isOfDeployment = writer === contracts.get("PageSettlement");
    facts.push({
      subject: `InferenceSettlement: ${names.of(writer)} holds requests`,
      expected: isOfDeployment ? "it may" : "never did",
      actual: isWriter === true ? "it may" : "it might",
      changes: changes.filter(({ args }) => args.writer === writer).slice(isOfDeployment ? 1 : 0),
    });
  }
  return facts;
}

/** View, event, and unit of every setting, in the order of the constructor's. */
const SETTINGS = [
  ["votingDelay", "VotingDelaySet", " s"],
  ["votingPeriod", "VotingPeriodSet", " s"],
  ["proposalThreshold", "ProposalThresholdSet", " smallest units"],
  ["quorumNumerator", "QuorumNumeratorUpdated", " %"],
  ["lateQuorumVoteExtension", "LateQuorumVoteExtensionSet", " s"],
] as const;

async function governorFacts(audit: Audit, governor: string | undefined): Promise<Fact[]> {
  const { history, reader, constructed, names, contracts, findings } = audit;
  if (governor === undefined) return [];
  const initial = constructed.get(governor)?.[2] as readonly unknown[] | undefined;
  const facts: Fact[] = [];
  for (const [index, [view, event, unit]] of SETTINGS.entries()) {
    const value = await ask(reader, governor, `function ${view}() view returns (uint256)`);
    findings.push(parameter(`HacaGovernor.${view}`, `${initial?.[index]}${unit}`));
    facts.push({
      subject: `HacaGovernor.${view}`,
      expected: `${initial?.[index]}${unit}`,
      actual: `${value}${unit}`,
      changes: history.of(governor, event).slice(1),
    });
  }
  const timelock = await ask(reader, governor, "function timelock() view returns (address)");
  facts.push({
    subject: "HacaGovernor.timelock",
    expected: names.of(contracts.get("TimelockController") ?? ""),
    actual: names.of(String(timelock)),
    changes: history.of(governor, "TimelockChange").slice(1),
  });
  await checkSupply(audit);
  return facts;
}

/** The whole supply was made at once, and nothing since. */
async function checkSupply(audit: Audit): Promise<void> {
  const { reader, findings, contracts } = audit;
  const token = contracts.get("OPG");
  const supply = await ask(reader, token, "function SUPPLY() view returns (uint256)");
  const total = await ask(reader, token, "function totalSupply() view returns (uint256)");
  if (typeof supply !== "bigint" || typeof total !== "bigint" || total > supply) {
    findings.push(unexpected("OPG.totalSupply", `at most ${supply}`, String(total)));
  } else if (total < supply) {
    findings.push(notice("OPG.totalSupply", `${supply - total} smallest units were burnt`));
  } else {
    findings.push(finding("OPG.totalSupply", supply, total));
  }
}
