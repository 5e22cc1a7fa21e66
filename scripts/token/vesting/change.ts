/** What a beneficiary, or anyone, may do with a vault. */
import { BaseError } from "@haca/protocol/baseError";
import { Contract, formatUnits, getAddress, ZeroAddress } from "ethers";
import { type ChainSession, loadAbis, withChainSession } from "../../lib/chainSession.ts";
import { sendCall } from "../../lib/sendCall.ts";
import { addressArgument, type Grant, grantIn } from "./grants.ts";

type Options = { network: string; account: string; yes?: boolean; vault: string };

/** Of `IVestingVault.Transferability`. */
const TRANSFERABLE = 1n;

const nothingToDo = (message: string): BaseError =>
  new BaseError({ code: "vesting.nothingToDo", message: `${message}; nothing sent` });

/** Pays the beneficiary what is vested. Error: `vesting.nothingToDo`. */
export function release(options: Options): Promise<void> {
  return change(options, async ({ grant, read }) => {
    const amount: bigint = await read("releasable");
    const next = Number(await read("nextUnlock"));
    if (amount === 0n) {
      const when = next === 0 ? "never" : `at ${new Date(next * 1000).toISOString()}`;
      throw nothingToDo(`nothing is releasable in ${grant.vault} now, more ${when}`);
    }
    return {
      name: "release",
      values: [],
      changes: `about ${formatUnits(amount, 18)} OPG of ${grant.allocation} go to ${await read("beneficiary")}`,
    };
  });
}

/** Lets an account vote with a vault's tokens. Errors: `vesting.nothingToDo`, `.notBeneficiary`, `.notVoting`. */
export function delegate(options: Options & { to: string }): Promise<void> {
  const to = addressArgument({ name: "to", text: options.to });
  return change(options, async ({ session, grant, read, sender }) => {
    requireBeneficiary({ beneficiary: await read("beneficiary"), sender });
    const { opgAbi } = await loadAbis();
    const token = new Contract(await read("token"), opgAbi, session.provider);
    const current: string = await token.getFunction("delegates")(grant.vault);
    if (current === (await token.getFunction("NON_VOTING")())) {
      throw new BaseError({
        code: "vesting.notVoting",
        message: `${grant.vault} (${grant.allocation}) has given up its votes for good`,
      });
    }
    if (current === to) throw nothingToDo(`${to} votes for ${grant.vault} already`);
    const votes: bigint = await token.getFunction("balanceOf")(grant.vault);
    return {
      name: "delegate",
      values: [to],
      changes: `${formatUnits(votes, 18)} votes of ${grant.vault} go from ${current === ZeroAddress ? "nobody" : current} to ${to}`,
    };
  });
}

/** Offers a grant, or withdraws the offer. Errors: `vesting.nothingToDo`, `.notBeneficiary`, `.notTransferable`. */
export function handOver(options: Options & { to: string }): Promise<void> {
  const to =
    options.to === "none" ? ZeroAddress : addressArgument({ name: "to", text: options.to });
  return change(options, async ({ grant, read, sender }) => {
    const { transferability } = await read("terms");
    if (transferability !== TRANSFERABLE) {
      throw new BaseError({
        code: "vesting.notTransferable",
        message: `the terms of ${grant.vault} (${grant.allocation}) do not let it be handed over`,
      });
    }
    requireBeneficiary({ beneficiary: await read("beneficiary"), sender });
    if (to === sender) throw nothingToDo(`the grant is ${to}'s already`);
    const pending: string = await read("pendingBeneficiary");
    if (pending === to) {
      throw nothingToDo(to === ZeroAddress ? "no offer is open" : `it is offered to ${to} already`);
    }
    return {
      name: "transferBeneficiary",
      values: [to],
      changes:
        to === ZeroAddress
          ? `the offer of ${grant.vault} to ${pending} is withdrawn`
          : `${grant.vault} is offered to ${to}; nothing changes before that account accepts`,
    };
  });
}

/** Takes a grant that was offered. Error: `vesting.notOffered`. */
export function accept(options: Options): Promise<void> {
  return change(options, async ({ grant, read, sender }) => {
    const pending: string = await read("pendingBeneficiary");
    if (pending !== sender) {
      throw new BaseError({
        code: "vesting.notOffered",
        message: `${grant.vault} is offered to ${pending === ZeroAddress ? "nobody" : pending}, not to ${sender}`,
      });
    }
    return {
      name: "acceptBeneficiary",
      values: [],
      changes: `${grant.vault} (${grant.allocation}) pays ${sender} from now on, ${await read("beneficiary")} no more`,
    };
  });
}

type Call = { name: string; values: readonly unknown[]; changes: string };

/** Finds the vault, has `look` decide what to send, and sends it. */
async function change(
  options: Options,
  look: (parts: {
    session: ChainSession;
    grant: Grant;
    // biome-ignore lint/suspicious/noExplicitAny: what a view returns depends on its name, as in ethers
    read: (view: string) => Promise<any>;
    sender: string;
  }) => Promise<Call>,
): Promise<void> {
  await withChainSession(options.network, async (session) => {
    const grant = await grantIn(session, options.vault);
    const signer = await session.signer(options.account);
    const read = (view: string) => grant.contract.getFunction(view)();
    const call = await look({ session, grant, read, sender: getAddress(signer.address) });
    const { isDevelopment } = session;
    await sendCall({
      ...call,
      contract: grant.contract,
      signer,
      confirmation: { isDevelopment, yes: options.yes === true },
    });
  });
}

function requireBeneficiary(parameters: { beneficiary: string; sender: string }): void {
  const { beneficiary, sender } = parameters;
  if (beneficiary === sender) return;
  throw new BaseError({
    code: "vesting.notBeneficiary",
    message: `only the beneficiary ${beneficiary} may do this, not ${sender}`,
  });
}
