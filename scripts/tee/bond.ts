import { BaseError } from "@haca/protocol/baseError";
import { ZeroAddress } from "ethers";
import { type ContractOf, contractAt } from "../lib/contracts.ts";
import { sendCall } from "../lib/sendCall.ts";
import { opg } from "../lib/words.ts";
import { asked, type SendOptions, teeIdArgument } from "./options.ts";
import { type Session, withNetwork } from "./withNetwork.ts";

/** The contract that holds the bonds of new nodes; undefined where the registry asks for none. */
async function bondsOf({
  contracts,
  signer: runner,
}: Session): Promise<ContractOf<"NodeBonds"> | undefined> {
  const address = await contracts.registry.bonds();
  return address === ZeroAddress ? undefined : contractAt({ name: "NodeBonds", address, runner });
}

/**
 * Approves the bond that the registry will take when it admits a node, where it takes one. Returns false where the
 * answer was no. Error: `tee.noBond`, where the account has too little OPG.
 */
export async function approveBond(session: Session, options: SendOptions): Promise<boolean> {
  const { signer, network } = session;
  const bonds = await bondsOf(session);
  const amount = bonds === undefined ? 0n : await bonds.amount();
  if (bonds === undefined || amount === 0n) return true;
  const token = contractAt({ name: "OPG", address: await bonds.TOKEN(), runner: signer });
  const operator = await signer.getAddress();
  const holder = await bonds.getAddress();
  console.log(
    `bond         ${opg(amount)}, paid back a week after the node has retired, 60 days if it is banned or you are denied`,
  );
  const balance = await token.balanceOf(operator);
  if (balance < amount) {
    throw new BaseError({
      code: "tee.noBond",
      message: `the registry takes a bond of ${opg(amount)}, and ${operator} has ${opg(balance)}`,
    });
  }
  const allowance = await token.allowance(operator, holder);
  if (allowance >= amount) return true;
  const receipt = await sendCall({
    ...{ contract: token, signer, name: "approve", values: [holder, amount] },
    question: asked(options, `Let ${holder} take ${opg(amount)} on ${network}?`),
  });
  return receipt !== undefined;
}

/** Approves the bond of a node that another command registers. Error: `tee.noBond`. */
export async function approveBondAlone(options: SendOptions): Promise<void> {
  await withNetwork(options, async (session) => {
    const bonds = await bondsOf(session);
    if (bonds === undefined || (await bonds.amount()) === 0n) {
      throw new BaseError({ code: "tee.noBond", message: "this registry takes no bonds" });
    }
    const { signer: runner } = session;
    const token = contractAt({ name: "OPG", address: await bonds.TOKEN(), runner });
    const allowance = await token.allowance(await runner.getAddress(), bonds.target);
    if (allowance >= (await bonds.amount())) {
      throw new BaseError({
        code: "tee.nothingToDo",
        message: `${bonds.target} may take ${opg(allowance)} already, and a bond is no more`,
      });
    }
    if (await approveBond(session, options)) console.log("approved     the bond of one node");
  });
}

/** Has a retired node's bond paid back to whoever left it. Anyone may. */
export async function releaseBond(argument: string, options: SendOptions): Promise<void> {
  const teeId = teeIdArgument(argument);
  await withNetwork(options, async (session) => {
    const { signer, network } = session;
    const bonds = await bondsOf(session);
    if (bonds === undefined) {
      throw new BaseError({ code: "tee.noBond", message: "this registry takes no bonds" });
    }
    const { owner, amount } = await bonds.bondOf(teeId);
    const receipt = await sendCall({
      ...{ contract: bonds, signer, name: "release", values: [teeId] },
      question: asked(options, `Send release for ${teeId} to ${network}?`),
    });
    if (receipt !== undefined) console.log(`paid back    ${opg(amount)} to ${owner}`);
  });
}
