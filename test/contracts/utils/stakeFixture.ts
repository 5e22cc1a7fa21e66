import {
  DEFAULT_STAKE_PARAMETERS,
  decodeSnapshot,
  EPOCH_SECONDS,
  signAttestation,
  signSigningKey,
} from "@haca/protocol/validatorStaking";
import { concat, id, parseEther, Wallet, ZeroAddress } from "ethers";
import type { NetworkConnection } from "hardhat/types/network";
import { now, wire } from "./attestationFixture.ts";
import {
  challenge,
  DEPOSIT,
  deployPages,
  goodResults,
  idOf,
  makePage,
  type Page,
  type PageFixture,
  propose,
  unsigned,
} from "./pageFixture.ts";

export const OPG = parseEther("1");
export const STAKE_PARAMETERS = DEFAULT_STAKE_PARAMETERS;
/** Wallets are given ether, and more OPG than any test needs of them. */
const ETHER = parseEther("1000");
const TOKENS = 10_000_000n * OPG;

/** An owner and the key that signs for it. */
export type Validator = { owner: Wallet; key: Wallet; address: string };

/** The real pages, with a staking contract as their attester, and nobody in it. */
export async function deployStaking(connection: NetworkConnection) {
  const f = await deployPages(connection);
  const { ethers, manager, token, pages, governance } = f;
  const staking = await ethers.deployContract("ValidatorStaking", [
    ...([await manager.getAddress(), await token.getAddress()] as const),
    ...([await pages.getAddress(), STAKE_PARAMETERS] as const),
  ]);
  await wire(manager, "ValidatorStaking", staking);
  await pages.connect(governance).setAttester(staking);
  await token.approve(staking, TOKENS * 10n);
  return { ...f, staking };
}
export type BareStakeFixture = Awaited<ReturnType<typeof deployStaking>>;

/** Someone with ether, OPG, and an allowance for the staking contract. */
export async function makeHolder(f: BareStakeFixture, name: string): Promise<Wallet> {
  const holder = new Wallet(id(name), f.ethers.provider);
  await f.networkHelpers.setBalance(holder.address, ETHER);
  await f.token.transfer(holder, TOKENS);
  await f.token.connect(holder).approve(f.staking, TOKENS);
  return holder;
}

export const domainOf = async (f: BareStakeFixture) => ({
  chainId: f.chainId,
  staking: await f.staking.getAddress(),
});

/** What `register` takes for a validator. */
export async function registration(
  f: BareStakeFixture,
  { address, key }: Pick<Validator, "address" | "key">,
  amount: bigint,
  commission = 1_000n,
) {
  const consent = await signSigningKey({ ...(await domainOf(f)), validator: address, key });
  return [key.address, consent, commission, amount] as const;
}

/** A validator with stake of its own, outside the set. */
export async function register(
  f: BareStakeFixture,
  name: string,
  amount: bigint,
  commission?: bigint,
): Promise<Validator> {
  const owner = await makeHolder(f, name);
  const validator = { owner, key: new Wallet(id(`${name}'s key`)), address: owner.address };
  await f.staking
    .connect(owner)
    .register(...(await registration(f, validator, amount, commission)));
  return validator;
}

/** Validators in the set, one for each stake; their stake counts from the next epoch on. */
export async function enterAll(f: BareStakeFixture, stakes: readonly bigint[]) {
  const validators: Validator[] = [];
  for (const [i, stake] of stakes.entries()) {
    const validator = await register(f, `validator ${i}`, stake);
    await f.staking.connect(validator.owner).enter(ZeroAddress);
    validators.push(validator);
  }
  return validators;
}

/** Three of them, by name. */
export async function enterThree(f: BareStakeFixture, stakes: readonly [bigint, bigint, bigint]) {
  const [a, b, c] = await enterAll(f, stakes);
  if (!a || !b || !c) throw new Error("no validators");
  return { a, b, c };
}

export const epochNow = async (f: BareStakeFixture) => (await now(f)) / EPOCH_SECONDS;

/** Moves the clock to the beginning of a later epoch, and fixes its snapshot. */
export async function nextEpoch(f: BareStakeFixture, epochs = 1n): Promise<void> {
  await f.networkHelpers.time.increaseTo(((await epochNow(f)) + epochs) * EPOCH_SECONDS + 10n);
  await f.staking.freeze();
}

/** The words of an epoch's snapshot, from the event. */
export async function snapshotOf(f: BareStakeFixture, epoch?: bigint): Promise<bigint[]> {
  const filter = f.staking.filters.SnapshotFrozen(epoch ?? (await epochNow(f)));
  const [event] = await f.staking.queryFilter(filter);
  if (event === undefined) throw new Error("the epoch has no snapshot");
  return [...event.args.snapshot];
}

/** Places of validators in a snapshot. */
export const placesIn = (snapshot: readonly bigint[], signers: readonly Pick<Validator, "key">[]) =>
  signers
    .map(({ key }) => decodeSnapshot(snapshot).members.findIndex((m) => m.key === key.address))
    .sort((a, b) => a - b);

/** What `attest` takes. */
export async function attestation(
  f: BareStakeFixture,
  page: Page,
  signers: readonly Pick<Validator, "key">[],
) {
  const snapshot = await snapshotOf(f);
  const { members } = decodeSnapshot(snapshot);
  const pageId = await idOf(f, page);
  const signatures = [];
  let bits = 0n;
  for (const [i, member] of members.entries()) {
    const signer = signers.find(({ key }) => key.address === member.key);
    if (signer === undefined) continue;
    bits |= 1n << BigInt(i);
    signatures.push(await signAttestation({ ...(await domainOf(f)), pageId, key: signer.key }));
  }
  return [page.header, snapshot, bits, concat(signatures)] as const;
}

export const attest = async (
  f: BareStakeFixture,
  page: Page,
  signers: readonly Pick<Validator, "key">[],
) => f.staking.attest(...(await attestation(f, page, signers)));

/** A proposed page of good results; `index` is the place of its one result. */
export async function proposeGood(f: PageFixture, index: number, fee = 0n): Promise<Page> {
  const page = makePage(f, await goodResults(f, [index]), { fee });
  await propose(f, page);
  return page;
}

/** A proposed page whose one result nobody signed. */
export async function proposeBad(f: PageFixture, index: number, fee = 0n): Promise<Page> {
  const page = makePage(f, await unsigned(f, index), { fee });
  await propose(f, page);
  return page;
}

/** Shows that such a page is wrong, and gives its proposer another deposit. */
export async function refute(f: PageFixture, page: Page): Promise<void> {
  const [index] = [...page.results.keys()];
  if (index === undefined) throw new Error("a page without results");
  await challenge(f, page, index);
  await f.token.approve(f.pages, DEPOSIT);
  await f.pages.deposit(f.operator, DEPOSIT);
}
