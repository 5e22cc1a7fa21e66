/** What a beneficiary, or anyone, may do with a vault. */
import { BaseError } from "@haca/protocol/baseError";
import { formatUnits, getAddress, ZeroAddress } from "ethers";
import { type ChainSession, withChainSession } from "../../lib/chainSession.ts";
import { type ArgumentsOf, type ChangeName, contractAt } from "../../lib/contracts.ts";
import { sendCall } from "../../lib/sendCall.ts";
import { isoTime, opg } from "../../lib/words.ts";
import { addressArgument, type Grant, grantIn } from "./grants.ts";

type Options = { network: string; account: string; yes?: boolean; vault: string };

/** Of `IVestingVault.Transferability`. */
const TRANSFERABLE = 1n;

const nothingToDo = (message: string): BaseError =>
  new BaseError({ code: "vesting.nothingToDo", message: `${message}; nothing sent` });

/** Pays the beneficiary what is vested. Error: `vesting.nothingToDo`. */
export function release(options: Options): Promise<void> {
  return change(options, async ({ grant, send }) => {
    const { contract, vault, allocation } = grant;
    const amount = await contract.releasable();
    const next = await contract.nextUnlock();
    if (amount === 0n) {
      const when = next === 0n ? "never" : `at ${isoTime(next)}`;
      throw nothingToDo(`nothing is releasable in ${vault} now, more ${when}`);
    }
    const changes = `about ${opg(amount)} of ${allocation} go to ${await contract.beneficiary()}`;
    await send({ name: "release", values: [], changes });
  });
}

/** Lets an account vote with a vault's tokens. Errors: `vesting.nothingToDo`, `.notBeneficiary`, `.notVoting`. */
export function delegate(options: Options & { to: string }): Promise<void> {
  const to = addressArgument({ name: "to", text: options.to });
  return change(options, async ({ session, grant, sender, send }) => {
    const { contract, vault, allocation } = grant;
    requireBeneficiary({ beneficiary: await contract.beneficiary(), sender });
    const address = await contract.token();
    const token = contractAt({ name: "OPG", address, runner: session.provider });
    const current = await token.delegates(vault);
    if (current === (await token.NON_VOTING())) {
      throw new BaseError({
        code: "vesting.notVoting",
        message: `${vault} (${allocation}) has given up its votes for good`,
      });
    }
    if (current === to) throw nothingToDo(`${to} votes for ${vault} already`);
    const votes = formatUnits(await token.balanceOf(vault), 18);
    const before = current === ZeroAddress ? "nobody" : current;
    const changes = `${votes} votes of ${vault} go from ${before} to ${to}`;
    await send({ name: "delegate", values: [to], changes });
  });
}

/** Offers a grant, or withdraws the offer. Errors: `vesting.nothingToDo`, `.notBeneficiary`, `.notTransferable`. */
export function handOver(options: Options & { to: string }): Promise<void> {
  const to =
    options.to === "none" ? ZeroAddress : addressArgument({ name: "to", text: options.to });
  return change(options, async ({ grant, sender, send }) => {
    const { contract, vault, allocation } = grant;
    const { transferability } = await contract.terms();
    if (transferability !== TRANSFERABLE) {
      throw new BaseError({
        code: "vesting.notTransferable",
        message: `the terms of ${vault} (${allocation}) do not let it be handed over`,
      });
    }
    requireBeneficiary({ beneficiary: await contract.beneficiary(), sender });
    if (to === sender) throw nothingToDo(`the grant is ${to}'s already`);
    const pending = await contract.pendingBeneficiary();
    if (pending === to) {
      throw nothingToDo(to === ZeroAddress ? "no offer is open" : `it is offered to ${to} already`);
    }
    const changes =
      to === ZeroAddress
        ? `the offer of ${vault} to ${pending} is withdrawn`
        : `${vault} is offered to ${to}; nothing changes before that account accepts`;
    await send({ name: "transferBeneficiary", values: [to], changes });
  });
}

/** Takes a grant that was offered. Error: `vesting.notOffered`. */
export function accept(options: Options): Promise<void> {
  return change(options, async ({ grant, sender, send }) => {
    const { contract, vault, allocation } = grant;
    const pending = await contract.pendingBeneficiary();
    if (pending !== sender) {
      throw new BaseError({
        code: "vesting.notOffered",
        message: `${vault} is offered to ${pending === ZeroAddress ? "nobody" : pending}, not to ${sender}`,
      });
    }
    const changes = `${vault} (${allocation}) pays ${sender} from now on, ${await contract.beneficiary()} no more`;
    await send({ name: "acceptBeneficiary", values: [], changes });
  });
}

/** Says what a call changes, asks and sends it. */
type Send = <Name extends ChangeName<"VestingVault">>(call: {
  name: Name;
  values: ArgumentsOf<"VestingVault", Name>;
  /** what the chain will be like afterwards, in words */
  changes: string;
}) => Promise<void>;

/** Finds the vault, and has `decide` send what is to be sent. */
async function change(
  options: Options,
  decide: (parts: {
    session: ChainSession;
    grant: Grant;
    sender: string;
    send: Send;
  }) => Promise<void>,
): Promise<void> {
  await withChainSession(options.network, async (session) => {
    const grant = await grantIn(session, options.vault);
    const signer = await session.signer(options.account);
    const question = session.question("Send?", options);
    await decide({
      ...{ session, grant, sender: getAddress(signer.address) },
      send: async ({ name, values, changes }) => {
        console.log(changes);
        await sendCall({ contract: grant.contract, signer, name, values, question });
      },
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
