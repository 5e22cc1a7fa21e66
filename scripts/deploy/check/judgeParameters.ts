import { ZeroAddress } from "ethers";
import { PUBLIC_FLOORS } from "../parameters/checkParameters.ts";
import { knownInclusionDelay } from "../parameters/forcedInclusion.ts";
import { publicKeyHolder } from "../parameters/knownAccounts.ts";
import type { Audit } from "./audit.ts";
import { type GenesisParameters, genesisOf } from "./expectations.ts";
import { notice, parameter, unexpected } from "./finding.ts";
import type { Holders } from "./holders.ts";

/**
 * What a deployment may choose: refused where it is unsafe, else told in words. On a development chain the public
 * accounts and short times are what it is for.
 */
export async function judgeParameters(audit: Audit, holders: Holders): Promise<void> {
  const accounts = accountsOf(holders, genesisOf(audit)?.parameters);
  for (const [role, account] of accounts) {
    audit.findings.push(parameter(role, `${account}, ${await kindOf(audit, account)}`));
  }
  judgeInclusionDelay(audit);
  if (holders.timelock === undefined) {
    const text = `the deployer ${holders.deployer} administers everything`;
    audit.findings.push(
      audit.isDevelopmentChain
        ? notice("hand-over", text)
        : unexpected("hand-over", "to a timelock", text),
    );
    return;
  }
  if (audit.history.handover === undefined) {
    audit.findings.push(
      unexpected("hand-over", "the deployer gives up the last permission", "that never happened"),
    );
  }
  judgeSeparation(audit, holders);
  if (audit.isDevelopmentChain) return;
  judgePublicAccounts(audit, accounts);
  judgeTimes(audit, holders);
}

function accountsOf(holders: Holders, genesis: GenesisParameters | undefined): [string, string][] {
  const named: [string, string | undefined][] = [
    ["deployer", holders.deployer],
    ["guardian", holders.guardian],
    ["image approver", holders.imageApprover],
    ["foundation", genesis?.foundation],
    ["liquidity", genesis?.liquidity],
    ...(genesis?.contributors ?? []).map(
      ({ beneficiary }) => ["contributor", beneficiary] as [string, string],
    ),
    ...(genesis?.investors ?? []).map(
      ({ beneficiary }) => ["investor", beneficiary] as [string, string],
    ),
  ];
  return named.filter((entry): entry is [string, string] => entry[1] !== undefined);
}

async function kindOf(audit: Audit, account: string): Promise<string> {
  const code = await audit.reader.code(account);
  if (code === "0x") return "an ordinary account: whoever has its one key";
  return code.startsWith("0xef0100")
    ? "an ordinary account that lends its name to code (EIP-7702)"
    : "a contract";
}

/** The one who stops is not the one who deployed, nor the one who approves. */
function judgeSeparation(audit: Audit, holders: Holders): void {
  const { deployer, guardian, imageApprover } = holders;
  for (const [role, account] of [
    ["guardian", guardian],
    ["image approver", imageApprover],
  ] as const) {
    if (account === undefined || account === ZeroAddress) {
      audit.findings.push(unexpected(role, "an account", "nobody had the role at the hand-over"));
    } else if (account === deployer) {
      audit.findings.push(unexpected(role, "another than the deployer", `the deployer ${account}`));
    }
  }
  if (guardian !== undefined && guardian === imageApprover) {
    audit.findings.push(
      unexpected("guardian", "another than the image approver", `the image approver ${guardian}`),
    );
  }
}

function judgePublicAccounts(audit: Audit, accounts: readonly [string, string][]): void {
  for (const [role, account] of accounts) {
    const reason = publicKeyHolder(account);
    if (reason === undefined) continue;
    audit.findings.push(unexpected(role, "an account whose key is secret", `${account} ${reason}`));
  }
}

function judgeTimes(audit: Audit, holders: Holders): void {
  const { history, constructed, findings } = audit;
  const delay = history.of(holders.timelock, "MinDelayChange").at(-1)?.args.newDuration;
  const settings = constructed.get(holders.governor ?? "")?.[2] as
    | {
        votingDelay: bigint;
        votingPeriod: bigint;
        proposalThreshold: bigint;
        quorumPercent: bigint;
        lateQuorumExtension: bigint;
      }
    | undefined;
  for (const [subject, value, floor] of [
    ["timelock delay", delay, PUBLIC_FLOORS.timelockDelay],
    ["voting delay", settings?.votingDelay, PUBLIC_FLOORS["governor.votingDelay"]],
    ["voting period", settings?.votingPeriod, PUBLIC_FLOORS["governor.votingPeriod"]],
    [
      "extension after a late quorum",
      settings?.lateQuorumExtension,
      PUBLIC_FLOORS["governor.lateQuorumExtension"],
    ],
  ] as const) {
    if (value !== undefined && value < BigInt(floor)) {
      findings.push(unexpected(subject, `at least ${floor} s`, `${value} s`));
    }
  }
  for (const [subject, value] of [
    ["proposal threshold", settings?.proposalThreshold],
    ["quorum", settings?.quorumPercent],
  ] as const) {
    if (value === 0n) findings.push(unexpected(subject, "more than none", "0"));
  }
}

/** What the long road of pages rests on, and no chain can be asked for. */
export function judgeInclusionDelay(
  audit: Pick<Audit, "contracts" | "constructed" | "findings" | "isDevelopmentChain"> & {
    reader: Pick<Audit["reader"], "chainId">;
  },
): void {
  const { contracts, constructed, findings, reader, isDevelopmentChain } = audit;
  const delay = constructed.get(contracts.get("PageSettlement") ?? "")?.[3];
  if (typeof delay !== "bigint") return;
  const subject = "delay of forced inclusion";
  findings.push(parameter(subject, `${delay} s`));
  const known = knownInclusionDelay(reader.chainId);
  if (!isDevelopmentChain && known !== undefined && delay < BigInt(known.delay)) {
    findings.push(unexpected(subject, `at least ${known.delay} s on ${known.name}`, `${delay} s`));
  }
}
