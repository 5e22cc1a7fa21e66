import { opgAbi, rewardRouterAbi, validatorStakingAbi } from "@haca/protocol/abi";
import {
  decodeSnapshot,
  EPOCH_SECONDS,
  signAttestation,
  signSigningKey,
} from "@haca/protocol/validatorStaking";
import {
  type Abi,
  type ContractFunctionArgs,
  type ContractFunctionName,
  concatHex,
  encodeFunctionData,
  getContract,
  type Hex,
  isAddressEqual,
  keccak256,
  maxUint256,
  stringToHex,
  zeroAddress,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { withdrawableFrom } from "../../src/staking/stakeArithmetic.ts";
import type { Contracts } from "./deployContracts.ts";
import { deployOn } from "./deployOn.ts";
import type { Token } from "./deployToken.ts";
import type { PageOperations, ProposedPage } from "./pageOperations.ts";
import type { Random } from "./randomFrom.ts";
import type { Chain } from "./startChain.ts";
import type { TeeNode } from "./teeOperations.ts";
import { addressOf } from "./writeBook.ts";

const OPG = 10n ** 18n;
const FUNDS = 1_000_000n * OPG;
const HOUR = 3600n;
/** The least that the contract takes. */
export const STAKE_PARAMETERS = {
  ...{ minimumSelfStake: 100n * OPG, minimumTotalStake: 1_000n * OPG },
  ...{ slashWithQuorum: 500, slashWithout: 100, dailySlash: 1_000, bounty: OPG / 4n },
};

/** Deploys the staking contract, with the least that it takes, and its router. */
export async function deployStaking(parameters: {
  chain: Chain;
  contracts: Contracts;
  token: Token;
  pages: Hex;
}) {
  const { chain, contracts, pages, token } = parameters;
  const manager = addressOf(contracts.deployed.accessManager);
  return await deployOn(chain, (module) => ({
    validatorStaking: module.contract("ValidatorStaking", [
      ...[manager, token.opg.address, pages, STAKE_PARAMETERS],
    ]),
    rewardRouter: module.contract("RewardRouter", [manager, token.opg.address]),
  }));
}

type Call = ContractFunctionName<typeof validatorStakingAbi, "nonpayable">;
type Signed = { page: ProposedPage; epoch: bigint };

/** What can happen to stake. Owners and delegators are the chain's later accounts. */
export function stakeOperations(parameters: {
  chain: Chain;
  token: Token;
  pages: PageOperations;
  node: TeeNode;
  staking: Hex;
  router: Hex;
  random: Random;
}) {
  const { chain, node, pages, random, router, staking, token } = parameters;
  const { client } = chain;
  const owners = chain.accounts.slice(6, 10) as Hex[];
  const accounts = chain.accounts.slice(4, 10) as Hex[];
  const domain = { chainId: BigInt(client.chain.id), staking };
  const contract = getContract({ address: staking, abi: validatorStakingAbi, client });
  let number = 1_000n;
  let keys = 0;
  const keyOf = new Map<string, Hex>();
  const attested: Signed[] = [];

  const call = <Name extends Call>(
    functionName: Name,
    args: ContractFunctionArgs<typeof validatorStakingAbi, "nonpayable", Name>,
    from: Hex = chain.accounts[0],
  ) =>
    chain.send({
      ...{ to: staking, from },
      data: encodeFunctionData({ abi: validatorStakingAbi, functionName, args } as never),
    });
  const onToken = (from: Hex, functionName: string, args: readonly unknown[]) =>
    token.call({ to: token.opg.address, abi: opgAbi as Abi, functionName, args, from });
  const onRouter = (functionName: string, args: readonly unknown[] = []) =>
    token.call({ to: router, abi: rewardRouterAbi as Abi, functionName, args });

  /** A key as the bindings take one; nobody else's. */
  const newKey = (): { secret: Hex; address: Hex } => {
    keys += 1;
    const secret = keccak256(stringToHex(`key ${keys}`));
    const { address } = privateKeyToAccount(secret);
    keyOf.set(address.toLowerCase(), secret);
    return { secret, address };
  };
  const signer = (secret: Hex) => {
    const account = privateKeyToAccount(secret);
    return {
      signTypedData: (on: object, types: object, message: object) =>
        account.signTypedData({
          ...{ domain: on, types, message, primaryType: Object.keys(types)[0] },
        } as never),
    } as never;
  };
  const consentOf = (secret: Hex, validator: Hex) =>
    signSigningKey({ ...domain, validator, key: signer(secret) }) as Promise<Hex>;

  const moveBy = async (seconds: bigint): Promise<void> => {
    const { timestamp } = await client.getBlock();
    await client.setNextBlockTimestamp({ timestamp: timestamp + seconds });
    await client.mine({ blocks: 1 });
  };
  const epochNow = async () => (await client.getBlock()).timestamp / EPOCH_SECONDS;

  /** The words of an epoch's snapshot, from the event. */
  const snapshotOf = async (epoch: bigint): Promise<readonly bigint[]> => {
    const [event] = await client.getContractEvents({
      ...{ address: staking, abi: validatorStakingAbi, eventName: "SnapshotFrozen" },
      ...{ args: { epoch }, fromBlock: 0n, strict: true },
    });
    if (event === undefined) throw new Error(`epoch ${epoch} has no snapshot`);
    return event.args.snapshot;
  };
  const ownersIn = async (snapshot: readonly bigint[]): Promise<Hex[]> =>
    Promise.all(
      decodeSnapshot(snapshot).members.map(({ key }) => contract.read.validatorOfKey([key as Hex])),
    );

  /** Gives the accounts what they need, and makes this contract the attester. */
  const prepare = async (): Promise<void> => {
    for (const account of accounts) {
      await onToken(token.liquidity, "transfer", [account, FUNDS]);
      await onToken(account, "approve", [staking, maxUint256]);
    }
    await pages.call("setAttester", [staking]);
    await pages.deposit(node.operator);
  };
  const register = async (owner: Hex, amount = 1_000n * OPG): Promise<void> => {
    const { address, secret } = newKey();
    await call(
      ...(["register", [address, await consentOf(secret, owner), 1_000, amount], owner] as const),
    );
  };

  const propose = async (isForged: boolean): Promise<ProposedPage> => {
    number += 1n;
    const places = { places: [0, 1], ...(isForged ? { forged: 1 } : {}) };
    return await pages.propose({ node, number, ...places });
  };
  /** Brings signatures of members of the epoch, each of whom is one of `by`. */
  const attest = async (page: ProposedPage, by: readonly Hex[]): Promise<Signed> => {
    if ((await contract.read.snapshotHashOf([await epochNow()])) === `0x${"00".repeat(31)}`) {
      await call("freeze", []);
    }
    const epoch = await epochNow();
    const snapshot = await snapshotOf(epoch);
    const { members } = decodeSnapshot(snapshot);
    let bits = 0n;
    const signatures: Hex[] = [];
    for (const [index, owner] of (await ownersIn(snapshot)).entries()) {
      if (!by.some((one) => isAddressEqual(one, owner))) continue;
      bits |= 1n << BigInt(index);
      signatures.push(await signatureOf(page, members[index]?.key ?? ""));
    }
    await call("attest", [page.header as never, snapshot, bits, concatHex(signatures)]);
    const signed = { page, epoch };
    attested.push(signed);
    return signed;
  };
  const signatureOf = async (page: ProposedPage, key: string): Promise<Hex> => {
    const secret = keyOf.get(key.toLowerCase()) as Hex;
    const signed = await signAttestation({ ...domain, pageId: page.pageId, key: signer(secret) });
    return signed as Hex;
  };
  /** Shows that the second result of a page is wrong, and gives its proposer another deposit. */
  const refute = async (page: ProposedPage): Promise<void> => {
    await pages.challenge(page, 1, accounts[0] as Hex);
    await pages.deposit(node.operator);
  };
  const slash = async ({ epoch, page }: Signed, owner: Hex, from: Hex): Promise<void> => {
    const snapshot = await snapshotOf(epoch);
    const index = (await ownersIn(snapshot)).findIndex((one) => isAddressEqual(one, owner));
    await call("slash", [page.pageId, snapshot, BigInt(index)], from);
  };
  const slashShown = async ({ epoch, page }: Signed, owner: Hex, from: Hex): Promise<void> => {
    const snapshot = await snapshotOf(epoch);
    const index = (await ownersIn(snapshot)).findIndex((one) => isAddressEqual(one, owner));
    const signature = await signatureOf(page, decodeSnapshot(snapshot).members[index]?.key ?? "");
    const shown = [page.pageId, epoch, snapshot, BigInt(index), signature] as const;
    await call("slashShown", shown, from);
  };
  const payPages = async (epoch: bigint): Promise<void> => {
    const sets = new Set<bigint>();
    for (const { epoch: of, page } of attested) {
      const { signers } = (await pages.read("pageOf", [page.pageId])) as { signers: number };
      if (of === epoch) sets.add(BigInt(signers));
    }
    await call("payPages", [epoch, await snapshotOf(epoch), [...sets]]);
  };

  /** Somebody with stake, or who had some. */
  const someDelegation = async () => {
    const delegated = await client.getContractEvents({
      ...{ address: staking, abi: validatorStakingAbi, eventName: "Delegated", strict: true },
      fromBlock: 0n,
    });
    return random.pick(delegated).args;
  };
  const amount = () => BigInt(1 + random.below(2_000)) * OPG + BigInt(random.below(1_000_000));
  const operations = {
    delegate: () => call("delegate", [random.pick(owners), amount()], random.pick(accounts)),
    undelegate: async () => {
      const { delegator, validator } = await someDelegation();
      const [{ shares }] = await contract.read.delegationOf([validator, delegator]);
      const part = (shares * BigInt(1 + random.below(4))) / 4n;
      await call("undelegate", [validator, part], delegator);
    },
    withdraw: async () => {
      const { timestamp } = await client.getBlock();
      const left = await client.getContractEvents({
        ...{ address: staking, abi: validatorStakingAbi, eventName: "Undelegated", strict: true },
        fromBlock: 0n,
      });
      const due = left.filter(({ args }) => withdrawableFrom(args.epoch) <= timestamp);
      const { delegator, epoch, validator } = random.pick(due).args;
      await call("withdraw", [validator, epoch], delegator);
    },
    claim: async () => {
      const { delegator, validator } = await someDelegation();
      await call("claimRewards", [validator], delegator);
    },
    addRewards: () => call("addRewards", [amount()], random.pick(accounts)),
    enter: async () => {
      const members = await contract.read.membersNow();
      const outside = owners.filter((owner) => !members.some((one) => isAddressEqual(one, owner)));
      await call("enter", [zeroAddress], random.pick(outside));
    },
    exit: () => call("exit", [], random.pick(owners)),
    setCommission: () => call("setCommission", [random.below(2_001)], random.pick(owners)),
    announceKey: async () => {
      const owner = random.pick(owners);
      const { address, secret } = newKey();
      await call("announceKey", [address, await consentOf(secret, owner)], owner);
    },
    takeKeyBack: () => call("announceKey", [zeroAddress, "0x"], random.pick(owners)),
    apply: () => call("applyAnnouncements", [random.pick(owners)]),
    attest: async () => {
      const page = await propose(false);
      const left = random.pick(owners);
      // Without one of them there may be no quorum.
      await attest(
        page,
        owners.filter((owner) => owner !== left),
      );
    },
    slash: async () => {
      const page = await propose(true);
      const signed = await attest(page, owners);
      await refute(page);
      const members = await ownersIn(await snapshotOf(signed.epoch));
      const [first, second] = [random.pick(members), random.pick(members)];
      // What leaves after the signature answers for it.
      const [{ shares }] = await contract.read.delegationOf([first, first]);
      await call("undelegate", [first, shares / 8n], first);
      await slash(signed, first, random.pick(accounts));
      if (second !== first) await slash(signed, second, random.pick(accounts));
    },
    slashShown: async () => {
      await call("freeze", []);
      const epoch = await epochNow();
      const member = random.pick(await ownersIn(await snapshotOf(epoch)));
      const page = await propose(true);
      await refute(page);
      await slashShown({ page, epoch }, member, random.pick(accounts));
    },
    payPages: async () => payPages(random.pick(attested).epoch),
    setParameters: () =>
      call("setParameters", [
        {
          ...STAKE_PARAMETERS,
          slashWithQuorum: 100 + random.below(901),
          bounty: BigInt(random.below(Number(STAKE_PARAMETERS.bounty))),
          dailySlash: 10_000,
        },
      ]),
    burnForfeits: () => pages.call("burnForfeits", []),
    forward: async () => {
      await onToken(token.liquidity, "transfer", [router, amount()]);
      await onRouter("setRecipient", [staking]);
      await onRouter("forward");
    },
  };

  /** Some hours, up to a day. */
  const wait = () => moveBy(HOUR * BigInt(1 + random.below(23)));

  return {
    ...{ accounts, operations, owners, contract, staking },
    ...{ attest, call, moveBy, prepare, propose, refute, register, slash, wait },
  };
}
export type StakeOperations = ReturnType<typeof stakeOperations>;
