import type { Command } from "commander";
import { createProgram, withAccount, withChain, withSafe } from "../lib/program.ts";

/** Options of a verb that names a key. */
const withKey = (command: Command): Command =>
  withSafe(command)
    .option("--key <address>", "whose signatures count (default: of HACA_VALIDATOR_KEY)")
    .option("--consent <signature>", "of that key, where it is elsewhere: key consent");

/** The command line of `npm run stake`; each one is run once. */
export function stakeProgram(): Command {
  const program = createProgram({
    name: "stake",
    summary: "Validators, stake and rewards. Says in words what changes before it sends.",
  }).addHelpText(
    "after",
    `
A validator is named by its owner's address; amounts are OPG, such as 1000 or
0.5. OPG that a call takes is allowed first, exactly that much, in a transaction
of its own. Undelegated stake comes back after 21 days (docs/validators.md).`,
  );

  withAccount(program.command("status"))
    .description("the set, its weights and its stream; of an account: stake, rewards, unbonding")
    .argument("[account]", "address (default: the set)")
    .option("--mine", "of the network's account")
    .action(async (address: string | undefined, options) =>
      (await import("./status.ts")).showStatus({ ...options, address }),
    );

  withKey(program.command("stake"))
    .description("register as a validator with a first stake; afterwards, add to one's own pool")
    .argument("<amount>", "of OPG")
    .option("--commission <percent>", "owner's part of the rewards; for who registers")
    .action(async (amount: string, options) =>
      (await import("./validator.ts")).stake({ ...options, amount }),
    );

  withSafe(program.command("enter"))
    .description("enter the set; where it is full, in place of its weakest member")
    .action(async (options) => (await import("./validator.ts")).enter(options));

  withSafe(program.command("exit"))
    .description("leave the set; the stake stays where it is")
    .action(async (options) => (await import("./validator.ts")).exit(options));

  withSafe(program.command("delegate"))
    .description("put OPG into a validator's pool; it answers for what was signed before, too")
    .argument("<validator>")
    .argument("<amount>", "of OPG")
    .action(async (validator: string, amount: string, options) =>
      (await import("./delegator.ts")).delegate({ ...options, validator, amount }),
    );

  withSafe(program.command("undelegate"))
    .description("take stake out of a pool, one's own included; it comes back after 21 days")
    .argument("<validator>")
    .argument("<amount>", "of OPG, or all")
    .action(async (validator: string, amount: string, options) =>
      (await import("./delegator.ts")).undelegate({ ...options, validator, amount }),
    );

  withSafe(program.command("withdraw"))
    .description("pay out what was undelegated and is due")
    .argument("[validator]", "of one pool alone")
    .action(async (validator: string | undefined, options) =>
      (await import("./delegator.ts")).withdraw({ ...options, validator }),
    );

  withSafe(program.command("claim"))
    .description("pay out one's rewards")
    .argument("[validator]", "of one pool alone")
    .action(async (validator: string | undefined, options) =>
      (await import("./delegator.ts")).claim({ ...options, validator }),
    );

  withSafe(program.command("commission"))
    .description("lower one's commission at once, or announce a higher one")
    .argument("<percent>", "such as 5 or 7.25")
    .action(async (percent: string, options) =>
      (await import("./validator.ts")).setCommission({ ...options, percent }),
    );

  const key = program
    .command("key")
    .description("change the key whose signatures count")
    .helpCommand(false);

  withKey(key.command("announce"))
    .description("announce another key, which can be put in force two days later")
    .action(async (options) => (await import("./validator.ts")).announceKey(options));

  withSafe(key.command("take-back"))
    .description("take an announced key back")
    .action(async (options) => (await import("./validator.ts")).takeKeyBack(options));

  withChain(key.command("consent"))
    .description("print what HACA_VALIDATOR_KEY signs for an owner who registers elsewhere")
    .argument("<owner>")
    .action(async (owner: string, options) =>
      (await import("./validator.ts")).printConsent({ ...options, owner }),
    );

  for (const parent of [program, key]) {
    withSafe(parent.command("apply"))
      .description("put announced key and commission in force that are due; anyone may")
      .argument("[validator]", "default: oneself")
      .action(async (validator: string | undefined, options) =>
        (await import("./validator.ts")).applyAnnouncements({ ...options, validator }),
      );
  }

  withAccount(program.command("simulate"))
    .description("what a delegation would earn and lose, with figures from the chain")
    .argument("<validator>")
    .argument("<amount>", "of OPG")
    .action(async (validator: string, amount: string, options) =>
      (await import("./simulate.ts")).simulate({ ...options, validator, amount }),
    );

  withSafe(program.command("freeze"))
    .description("fix set and weights of today's epoch; anyone may")
    .action(async (options) => (await import("./pages.ts")).freeze(options));

  withSafe(program.command("pay"))
    .description("divide fees and rewards of attested pages among their signers; anyone may")
    .option("--epoch <number>", "of one epoch alone")
    .action(async (options) => (await import("./pages.ts")).payPages(options));

  withSafe(program.command("slash"))
    .description("slash a validator who signed a wrong page, for a bounty; anyone may")
    .argument("<page>")
    .argument("<validator>")
    .option("--signature <hex>", "of one who was not in the page's quorum")
    .action(async (page: string, validator: string, options) =>
      (await import("./pages.ts")).slash({ ...options, page, validator }),
    );

  withSafe(program.command("add-rewards"))
    .description("give OPG to validators and those who delegated, over a week; anyone may")
    .argument("<amount>", "of OPG")
    .action(async (amount: string, options) =>
      (await import("./rewards.ts")).addRewards({ ...options, amount }),
    );

  withSafe(program.command("forward"))
    .description("pass on what the reward router holds; anyone may")
    .action(async (options) => (await import("./rewards.ts")).forward(options));

  return program;
}
