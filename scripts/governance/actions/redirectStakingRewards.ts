import { BaseError } from "@haca/protocol/baseError";
import { contractAt } from "../../lib/contracts.ts";
import { opg } from "../../lib/words.ts";
import type { Action } from "./action.ts";
import { refuse } from "./teeRegistry.ts";

export const redirectStakingRewards: Action = {
  name: "redirect-staking-rewards",
  usage: "<staking contract>",
  summary: "points the staking rewards at a contract, once and for ever",
  by: "proposal",
  functions: ["VestingVault.redirect(address)"],
  build: async ({ book, provider, values }) => {
    const target = values.address("staking contract");
    const grant = book.grants?.find(({ allocation }) => allocation === "Staking rewards");
    if (grant === undefined) {
      throw new BaseError({
        code: "chain.notDeployed",
        message: `the address book of chain ${book.chainId} has no staking rewards`,
      });
    }
    if ((await provider.getCode(target)) === "0x") throw refuse(`there is no contract ${target}`);
    const vault = contractAt({ name: "VestingVault", address: grant.vault, runner: provider });
    const beneficiary = await vault.beneficiary();
    if (beneficiary !== grant.beneficiary) {
      throw refuse(`the staking rewards are redirected to ${beneficiary} for good`);
    }
    return {
      calls: [
        {
          contract: "VestingVault",
          target: grant.vault,
          fragment: "function redirect(address target)",
          arguments: [target],
          words: `the staking rewards (${opg(grant.total)}) are paid to ${target} from then on, and nobody can change that again`,
        },
      ],
    };
  },
};
