import { type FunctionFragment, Interface, isHexString } from "ethers";
import { addressOf } from "../../lib/chainSession.ts";
import { printable } from "../../lib/words.ts";
import { deployed } from "../call.ts";
import { describeCall, loadInterfaces } from "../describeCall.ts";
import type { Action, ActionContext } from "./action.ts";
import { refuse } from "./teeRegistry.ts";

const MAXIMUM_WEI = (1n << 256n) - 1n;

/** What the governor itself owns or may do elsewhere: tokens sent to it by mistake, a timelock that was replaced. */
export const relay: Action = {
  name: "relay",
  usage: "<target> <wei> <data, or function(types) and values>",
  summary: "has the governor itself make a call, such as to return tokens",
  by: "proposal",
  functions: ["HacaGovernor.relay(address,uint256,bytes)"],
  build: async (context) => {
    const { book, provider, values } = context;
    const target = values.address("target");
    const wei = values.integer("wei", { minimum: 0n, maximum: MAXIMUM_WEI });
    const data = readData(context);
    const governor = addressOf(book, "HacaGovernor");
    if (wei === 0n && data === "0x") throw refuse("a call without wei and data does nothing");
    if (target === governor) {
      throw refuse("the governor's own functions are the timelock's to call; they have actions");
    }
    // The governor proposes and cancels there: a relayed call would get around what voters see queued.
    if (target === (await deployed(context, "HacaGovernor").timelock())) {
      throw refuse("what the governor does in its timelock comes of queue, execute and cancel");
    }
    if (data !== "0x" && (await provider.getCode(target)) === "0x") {
      throw refuse(`there is no contract ${target}, a call of it does nothing`);
    }
    const balance = await provider.getBalance(governor);
    if (wei > balance) throw refuse(`the governor has ${balance} wei, not ${wei}`);
    await requireSuccess(context, { from: governor, to: target, value: wei, data });
    const interfaceOf = await loadInterfaces();
    const call =
      data === "0x" ? target : printable(describeCall({ book, interfaceOf, target, data }));
    return {
      calls: [
        {
          ...{ contract: "HacaGovernor", target: governor },
          fragment: "function relay(address target, uint256 value, bytes data) payable",
          arguments: [target, wei, data],
          words: `the governor itself ${wei === 0n ? "" : `pays ${wei} of its ${balance} wei and `}calls ${call}`,
        },
      ],
    };
  },
};

/** Data as it is, or encoded from a signature such as `transfer(address,uint256)` and its values. */
function readData({ values }: ActionContext): string {
  const text = values.text("data");
  if (isHexString(text, true)) return text;
  const fragment = /^0x/.test(text) ? undefined : functionOf(text);
  if (fragment === undefined) {
    throw refuse(`data must be 0x and whole bytes, or a function(types), got ${text}`);
  }
  const given = fragment.inputs.map((input, index) =>
    values.text(input.name || `value ${index} (${input.type})`),
  );
  try {
    return new Interface([fragment]).encodeFunctionData(fragment, given);
  } catch {
    throw refuse(`the values are not what ${fragment.format("sighash")} takes`);
  }
}

function functionOf(text: string): FunctionFragment | undefined {
  try {
    return new Interface([`function ${text}`]).fragments[0] as FunctionFragment | undefined;
  } catch {
    return undefined;
  }
}

/** Error: `governance.badArgument` with the reason why the call would revert now. */
async function requireSuccess(
  { provider }: ActionContext,
  call: { from: string; to: string; value: bigint; data: string },
): Promise<void> {
  try {
    await provider.call(call);
  } catch (error) {
    // Loaded when it is used: the list of actions is there without a build.
    const { reasonOf } = await import("../../lib/explainError.ts");
    throw refuse(`the call fails as the governor's: ${reasonOf(error)}`);
  }
}
