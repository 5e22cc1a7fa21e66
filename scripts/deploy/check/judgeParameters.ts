import { HDNodeWallet, Mnemonic, ZeroAddress } from "ethers";
import type { Audit } from "./audit.ts";
import { type GenesisParameters, genesisOf } from "./expectations.ts";
import { notice, parameter, unexpected } from "./finding.ts";
import type { Holders } from "./holders.ts";

/** Phrases of development chains: everybody has the keys of their accounts. */
const PUBLIC_PHRASES = [
  "test test test test test test test test test test test junk",
  "myth like bonus scare over problem client lizard pioneer submit female collect",
  "candy maple cake sugar pudding cream honey rich smooth crumble sweet treat",
];
const ACCOUNTS_EACH = 20;

const HOUR = 3_600;
const DAY = 24 * HOUR;

/** Least times on a chain that is not thrown away: shorter ones leave nobody the time to object. */
export const FLOORS = {
  /** of the timelock */
  delay: 2 * DAY,
  votingPeriod: 2 * DAY,
  votingDelay: HOUR,
  lateQuorumExtension: HOUR,
} as const;

/**
 * What a deployment may choose: refused where it is unsafe, else told in words. On a development chain the public
 * accounts and short times are what it is for.
 */
export async function judgeParameters(audit: Audit, holders: Holders): Promise<void> {
  const accounts = accountsOf(holders, genesisOf(audit)?.parameters);
  for (const [role, account] of accounts) {
    audit.findings.push(parameter(role, `${account}, ${await kindOf(audit, account)}`));
  }
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
  const known = new Set(
    PUBLIC_PHRASES.flatMap((phrase) => {
      const mnemonic = Mnemonic.fromPhrase(phrase);
      return Array.from(
        { length: ACCOUNTS_EACH },
        (_, index) => HDNodeWallet.fromMnemonic(mnemonic, `m/44'/60'/0'/0/${index}`).address,
      );
    }),
  );
  for (const [role, account] of accounts) {
    if (!known.has(account)) continue;
    audit.findings.push(
      unexpected(
        role,
        "an account whose key is secret",
        `${account}, a test account whose key everybody has`,
      ),
    );
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
    ["timelock delay", delay, FLOORS.delay],
    ["voting delay", settings?.votingDelay, FLOORS.votingDelay],
    ["voting period", settings?.votingPeriod, FLOORS.votingPeriod],
    ["extension after a late quorum", settings?.lateQuorumExtension, FLOORS.lateQuorumExtension],
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
