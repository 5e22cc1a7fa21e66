import { join } from "node:path";
import { expect } from "chai";
import { network } from "hardhat";
import type { NetworkConnection } from "hardhat/types/network";
import { readLifeTree, revertOf, statesLedTo } from "../utils/lifeTree.ts";
import { createGrant, deployToken, TGE, type TokenFixture } from "../utils/tokenFixture.ts";

const TREE = readLifeTree(join(import.meta.dirname, "grantLife.tree"), "grant");
const TRANSFERABLE = 1;
const REDIRECTABLE_ONCE = 2;
const TOTAL = 100n;
/** A unit vests in every second; operations come in this one, so that as many are vested. */
const VESTED = 30;
/** All were vested in the second before. */
const OVER = Number(TOTAL) + 1;

type Vault = Awaited<ReturnType<typeof createGrant>>;
type Fixture = TokenFixture & { networkHelpers: NetworkConnection["networkHelpers"] };
type Grant = { f: Fixture; vault: Vault };

/** Everything that is done to one grant, each by whoever may. Alice has it, bob takes offers, carol revokes. */
const OPERATIONS: Readonly<Record<string, (grant: Grant) => Promise<unknown>>> = {
  release: ({ f, vault }) => vault.connect(f.stranger).release(),
  delegate: async (grant) => (await ofBeneficiary(grant)).delegate(grant.f.stranger.address),
  transferBeneficiary: async (grant) =>
    (await ofBeneficiary(grant)).transferBeneficiary(grant.f.bob.address),
  withdrawOffer: async (grant) =>
    (await ofBeneficiary(grant)).transferBeneficiary(grant.f.ethers.ZeroAddress),
  acceptBeneficiary: ({ f, vault }) => vault.connect(f.bob).acceptBeneficiary(),
  redirect: async (grant) =>
    (await ofBeneficiary(grant)).redirect(await grant.f.factory.getAddress()),
  revoke: ({ f, vault }) => vault.connect(f.carol).revoke(),
};

/** The vault for its beneficiary, who may be a contract. */
async function ofBeneficiary({ f, vault }: Grant): Promise<Vault> {
  const beneficiary = await vault.beneficiary();
  await f.networkHelpers.impersonateAccount(beneficiary);
  await f.networkHelpers.setBalance(beneficiary, 10n ** 18n);
  return vault.connect(await f.ethers.getSigner(beneficiary));
}

type State = {
  terms?: (f: TokenFixture) => Record<string, unknown>;
  /** the operations that bring a grant into it */
  lead?: readonly string[];
  /** seconds after the beginning of those operations; before it where left out */
  leadAt?: number;
  /** seconds after the beginning of what is tried then */
  at?: number;
};
const transferable = () => ({ transferability: TRANSFERABLE });
const redirectable = () => ({ transferability: REDIRECTABLE_ONCE });
const revocable = ({ carol, stranger }: TokenFixture) => ({
  ...{ revoker: carol.address, refundTo: stranger.address },
});

const STATES: Readonly<Record<string, State>> = {
  fixed: {},
  "fixed, all vested": { at: OVER },
  "fixed, paid out": { at: OVER + 10, lead: ["release"], leadAt: OVER },
  transferable: { terms: transferable },
  "transferable, offered": { terms: transferable, lead: ["transferBeneficiary"] },
  "transferable, handed over": {
    terms: transferable,
    lead: ["transferBeneficiary", "acceptBeneficiary"],
  },
  "transferable, handed over, offered": {
    terms: transferable,
    lead: ["transferBeneficiary", "acceptBeneficiary", "transferBeneficiary"],
  },
  redirectable: { terms: redirectable },
  "redirectable, redirected": { terms: redirectable, lead: ["redirect"] },
  revocable: { terms: revocable },
  "revocable, all vested": { terms: revocable, at: OVER },
  "revocable, paid out": { terms: revocable, at: OVER + 10, lead: ["release"], leadAt: OVER },
  "revocable, revoked": { terms: revocable, lead: ["revoke"], leadAt: 9 },
};

const KINDS = ["fixed", "transferable", "redirectable"];

describe("the life of a grant", () => {
  let connection: NetworkConnection;
  let time: NetworkConnection["networkHelpers"]["time"];
  let f: Fixture;
  before(async () => {
    connection = await network.create();
    time = connection.networkHelpers.time;
  });
  beforeEach(async () => {
    const { networkHelpers } = connection;
    f = { ...(await networkHelpers.loadFixture(deployWithDefaults)), networkHelpers };
  });
  const deployWithDefaults = () => deployToken(connection);

  const stateOf = async ({ vault }: Grant): Promise<string> => {
    const { transferability, beneficiary, revoker } = await vault.terms();
    const isRevocable = revoker !== f.ethers.ZeroAddress;
    const kind = isRevocable ? "revocable" : KINDS[Number(transferability)];
    const isOver = (await vault.nextUnlock()) === 0n && (await vault.revokedAt()) === 0n;
    const isPaid = isOver && (await f.opg.balanceOf(vault)) === 0n;
    const isMoved = (await vault.beneficiary()) !== beneficiary;
    return [
      kind,
      ...((await vault.revokedAt()) > 0n ? ["revoked"] : []),
      ...(isMoved ? [kind === "redirectable" ? "redirected" : "handed over"] : []),
      ...((await vault.pendingBeneficiary()) === f.ethers.ZeroAddress ? [] : ["offered"]),
      ...(isPaid ? ["paid out"] : isOver ? ["all vested"] : []),
    ].join(", ");
  };
  async function makeGrant({ terms, lead = [], leadAt = -50 }: State): Promise<Grant> {
    const vault = await createGrant(f, {
      ...{ beneficiary: f.alice.address, total: TOTAL, start: TGE, end: TGE + Number(TOTAL) },
      ...terms?.(f),
    });
    const grant = { f, vault };
    if (lead.length > 0) await time.increaseTo(TGE + leadAt);
    for (const name of lead) await OPERATIONS[name]?.(grant);
    return grant;
  }

  /** What an operation that goes through comes to, in words. */
  async function effectOf(grant: Grant, run: () => Promise<unknown>): Promise<string> {
    const { vault } = grant;
    const payee = await vault.beneficiary();
    const holdings = async () => ({
      state: await stateOf(grant),
      paid: await f.opg.balanceOf(payee),
      refunded: await f.opg.balanceOf(f.stranger),
      delegatee: await f.opg.delegates(vault),
    });
    const before = await holdings();
    await run();
    const after = await holdings();
    const [paid, refunded] = [after.paid - before.paid, after.refunded - before.refunded];
    const changes = [
      ...(after.state === before.state ? [] : [`becomes ${after.state}`]),
      ...(paid > 0n ? [`pays ${paid}`] : []),
      ...(refunded > 0n ? [`refunds ${refunded}`] : []),
      ...(after.delegatee === before.delegatee ? [] : ["votes for the delegatee"]),
    ];
    return changes.join(" and ") || "stays as it is";
  }

  it("test_TreeNamesEveryState", () => {
    expect([...TREE.keys()].sort()).to.deep.equal(Object.keys(STATES).sort());
    expect([...TREE.keys()]).to.include.members(statesLedTo(TREE));
  });

  for (const [state, how] of Object.entries(STATES)) {
    it(`test_GoesOnAsGrantLifeTreeSays: ${state}`, async () => {
      const grant = await makeGrant(how);
      const { at = VESTED } = how;
      await time.increaseTo(TGE + at - 1);
      expect(await stateOf(grant)).to.equal(state);
      const found: Record<string, string> = {};
      for (const [name, run] of Object.entries(OPERATIONS)) {
        const snapshot = await connection.networkHelpers.takeSnapshot();
        await time.setNextBlockTimestamp(TGE + at);
        let effect = "";
        const refusal = await revertOf(async () => {
          effect = await effectOf(grant, () => run(grant));
        });
        found[name] = refusal ?? effect;
        await snapshot.restore();
      }
      expect(found).to.deep.equal(TREE.get(state));
    });
  }
});
