import { nodeBondsAbi, opgAbi } from "@haca/protocol/abi";
import { BaseError } from "@haca/protocol/baseError";
import { Contract, formatUnits, type Signer, ZeroAddress } from "ethers";
import { type SendOptions, teeIdArgument } from "./options.ts";
import { sendCall } from "./sendCall.ts";
import { type Session, withNetwork } from "./withNetwork.ts";

const opg = (amount: bigint): string => `${formatUnits(amount, 18)} OPG`;

/** The contract that holds the bonds of new nodes; undefined where the registry asks for none. */
async function bondsOf({ contracts, signer }: Session): Promise<Contract | undefined> {
  const address: string = await contracts.registry.getFunction("bonds")();
  return address === ZeroAddress ? undefined : new Contract(address, nodeBondsAbi, signer);
}

/**
 * Approves the bond that the registry will take when it admits a node, where it takes one. Returns false where the
 * answer was no. Error: `tee.noBond`, where the account has too little OPG.
 */
export async function approveBond(session: Session, options: SendOptions): Promise<boolean> {
  const { signer, network } = session;
  const bonds = await bondsOf(session);
  const amount: bigint = bonds === undefined ? 0n : await bonds.getFunction("amount")();
  if (bonds === undefined || amount === 0n) return true;
  const token = await tokenOf(bonds, signer);
  const operator = await signer.getAddress();
  const holder = await bonds.getAddress();
  console.log(
    `bond         ${opg(amount)}, paid back a week after the node has retired, 60 days if it is banned or you are denied`,
  );
  const balance: bigint = await token.getFunction("balanceOf")(operator);
  if (balance < amount) {
    throw new BaseError({
      code: "tee.noBond",
      message: `the registry takes a bond of ${opg(amount)}, and ${operator} has ${opg(balance)}`,
    });
  }
  const allowance: bigint = await token.getFunction("allowance")(operator, holder);
  if (allowance >= amount) return true;
  const receipt = await sendCall({
    ...{ contract: token, signer, name: "approve", values: [holder, amount], report: console.log },
    ...(options.yes ? {} : { question: `Let ${holder} take ${opg(amount)} on ${network}?` }),
  });
  return receipt !== undefined;
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
    const { owner, amount } = await bonds.getFunction("bondOf")(teeId);
    const receipt = await sendCall({
      ...{ contract: bonds, signer, name: "release", values: [teeId], report: console.log },
      ...(options.yes ? {} : { question: `Send release for ${teeId} to ${network}?` }),
    });
    if (receipt === undefined) return;
    console.log(`paid back    ${opg(amount)} to ${owner}\ntransaction  ${receipt.hash}`);
  });
}

const tokenOf = async (bonds: Contract, signer: Signer): Promise<Contract> =>
  new Contract(await bonds.getFunction("TOKEN")(), opgAbi, signer);
