import { allocationOf, OPG_SUPPLY } from "@haca/protocol/allocations";
import { publicKeyHolder } from "./knownAccounts.ts";
import type { FileParameters, Problem } from "./parametersSchema.ts";

const HOUR = 60 * 60;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** What governance needs on a chain that matters: time to see a proposal, to vote, and to leave or to cancel. */
export const PUBLIC_FLOORS = {
  timelockDelay: 2 * DAY,
  "governor.votingDelay": HOUR,
  "governor.votingPeriod": 2 * DAY,
  "governor.lateQuorumExtension": HOUR,
  settlementWindow: HOUR,
} as const;
/** Whatever takes longer locks governance out. */
const LONGEST = 30 * DAY;
const QUORUM_LIMIT = 50;
/** Time that people have, at least, to claim from the airdrop. */
const SHORTEST_AIRDROP = 7 * DAY;

type Values = Readonly<Partial<FileParameters>>;

/** What contradicts itself, on whatever chain. Fields that are missing, or wrong by themselves, are left out. */
export function checkConsistency(values: Values): Problem[] {
  return [
    ...(["contributors", "investors"] as const).flatMap((field) => checkShares(field, values)),
    ...checkGovernor(values),
    ...(values.tge !== undefined && (values.airdrop?.deadline ?? values.tge + 1) <= values.tge
      ? [{ field: "airdrop.deadline", message: "must be after the token generation event" }]
      : []),
  ];
}

/** What a chain that others use must not have. Times are unix seconds. */
export function checkPublic(parameters: {
  values: Values;
  deployer: string;
  /** accounts of the airdrop */
  claimants: readonly string[];
  now: number;
}): Problem[] {
  const { values, now } = parameters;
  const problems: Problem[] = [...checkFloors(values), ...checkAccounts(parameters)];
  const { tge, airdrop } = values;
  if (tge !== undefined && Math.abs(tge - now) > 2 * YEAR) {
    problems.push({ field: "tge", message: "must be within two years of today" });
  }
  if (airdrop?.deadline !== undefined && airdrop.deadline < now + SHORTEST_AIRDROP) {
    problems.push({ field: "airdrop.deadline", message: "must be at least seven days ahead" });
  }
  return problems;
}

function checkShares(field: "contributors" | "investors", values: Values): Problem[] {
  const shares = values[field];
  if (shares === undefined) return [];
  const problems: Problem[] = [];
  const places = new Map<string, number>();
  for (const [index, { beneficiary, amount }] of shares.entries()) {
    const earlier = places.get(beneficiary);
    if (earlier !== undefined) {
      problems.push({
        field: `${field}.${index}.beneficiary`,
        message: `${beneficiary} has ${field}.${earlier} already`,
      });
    }
    places.set(beneficiary, index);
    if (amount === 0n) {
      problems.push({ field: `${field}.${index}.amount`, message: "must be more than 0" });
    }
  }
  const sum = shares.reduce((total, { amount }) => total + amount, 0n);
  const expected = allocationOf(field === "contributors" ? "Contributors" : "Investors");
  if (sum !== expected) problems.push(wrongSum({ field, sum, expected }));
  return problems;
}

export const wrongSum = (parameters: {
  field: string;
  sum: bigint;
  expected: bigint;
}): Problem => ({
  field: parameters.field,
  message: `amounts sum to ${parameters.sum}, the allocation has ${parameters.expected} smallest units`,
});

function checkGovernor({ governor, timelockDelay }: Values): Problem[] {
  const problems: Problem[] = [];
  const { proposalThreshold, quorumPercent } = governor ?? {};
  for (const [field, value] of [
    ["timelockDelay", timelockDelay],
    ["governor.votingDelay", governor?.votingDelay],
    ["governor.votingPeriod", governor?.votingPeriod],
    ["governor.lateQuorumExtension", governor?.lateQuorumExtension],
  ] as const) {
    if (value !== undefined && value > LONGEST) {
      problems.push({ field, message: `must be at most ${LONGEST} s (30 days), is ${value}` });
    }
  }
  if (quorumPercent !== undefined && quorumPercent > QUORUM_LIMIT) {
    problems.push({
      field: "governor.quorumPercent",
      message: `must be at most ${QUORUM_LIMIT}, is ${quorumPercent}: less than that can ever vote`,
    });
  }
  if (proposalThreshold === 0n) {
    problems.push({
      field: "governor.proposalThreshold",
      message: "must be more than 0: anybody could fill the list of proposals",
    });
  } else if (
    proposalThreshold !== undefined &&
    quorumPercent !== undefined &&
    proposalThreshold > (OPG_SUPPLY * BigInt(quorumPercent)) / 100n
  ) {
    problems.push({
      field: "governor.proposalThreshold",
      message: `must not be above the quorum, ${quorumPercent} % of the supply`,
    });
  }
  return problems;
}

function checkFloors({ timelockDelay, governor }: Values): Problem[] {
  const values = {
    timelockDelay,
    "governor.votingDelay": governor?.votingDelay,
    "governor.votingPeriod": governor?.votingPeriod,
    "governor.lateQuorumExtension": governor?.lateQuorumExtension,
  };
  return Object.entries(values).flatMap(([field, value]) => belowFloor(field, value));
}

/** A duration below what a public chain needs. */
export function belowFloor(field: string, value: number | undefined): Problem[] {
  const floor = PUBLIC_FLOORS[field as keyof typeof PUBLIC_FLOORS];
  if (value === undefined || value >= floor) return [];
  return [{ field, message: `must be at least ${floor} s on a public chain, is ${value}` }];
}

function checkAccounts(parameters: {
  values: Values;
  deployer: string;
  claimants: readonly string[];
}): Problem[] {
  const { values, deployer, claimants } = parameters;
  const { guardian, imageApprover, foundation, liquidity } = values;
  const accounts = [
    ...Object.entries({ guardian, imageApprover, foundation, liquidity }),
    ...(["contributors", "investors"] as const).flatMap((list) =>
      (values[list] ?? []).map(
        ({ beneficiary }, index) => [`${list}.${index}.beneficiary`, beneficiary] as const,
      ),
    ),
    ...claimants.map((account, index) => [`airdrop.csv entry ${index}`, account] as const),
  ];
  const problems = checkDeployer(deployer);
  for (const [field, account] of accounts) {
    if (account === undefined) continue;
    const reason = publicKeyHolder(account);
    if (reason !== undefined) problems.push({ field, message: `${account} ${reason}` });
    if (account.toLowerCase() === deployer.toLowerCase()) {
      problems.push({
        field,
        message: `${account} is the deployer, who is left with no role and no token`,
      });
    }
  }
  if (guardian !== undefined && guardian === imageApprover) {
    problems.push({
      field: "imageApprover",
      message: `${guardian} is the guardian, who cancels what the approver schedules`,
    });
  }
  return problems;
}

/** A deployer whose key is public; for a chain that others use. */
export function checkDeployer(deployer: string): Problem[] {
  const reason = publicKeyHolder(deployer);
  return reason === undefined
    ? []
    : [{ field: "HACA_DEPLOYER_KEY", message: `${deployer} ${reason}` }];
}
