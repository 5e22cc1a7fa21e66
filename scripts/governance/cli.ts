/** `npm run governance -- <command>`: proposals, and what roles may do, from the command line. */
import type { Command } from "commander";
import { createProgram, runProgram, withAccount, withChain } from "../lib/program.ts";
import { ACTIONS } from "./actions/actions.ts";
import type { Following } from "./followProposal.ts";
import type { ActionOptions } from "./runAction.ts";
import type { ChainOptions, SendOptions, Session } from "./session.ts";

/** Everything that needs a chain is loaded when it is called: help is there without a build. */
const inSession = async (
  options: ChainOptions,
  run: (session: Session) => Promise<void>,
): Promise<void> => (await import("./session.ts")).withSession(options, run);

const withSending = (command: Command): Command =>
  withAccount(command)
    .option("--simulate", "try it, send nothing")
    .option("--safe <file>", "write it for a Safe's transaction builder, send nothing")
    .option("--as <address>", "the Safe that will send it; with --safe or --simulate");

const HELP_LINE = /.{1,74}(?:\s|$)/g;

/** An action's usage in lines of a help, the later ones further in. */
const wrapped = (text: string): string =>
  (text.match(HELP_LINE) ?? [text]).map((line) => line.trimEnd()).join("\n        ");

const listOf = (by: (typeof ACTIONS)[number]["by"]): string =>
  `\nactions:\n${ACTIONS.filter((action) => action.by === by)
    .map(({ name, usage, summary }) => `  ${wrapped(`${name} ${usage}`)}\n      ${summary}`)
    .join("\n")}`;

const FOLLOWING: Readonly<Record<Exclude<Following, "vote">, string>> = {
  queue: "put a proposal that succeeded into the timelock",
  execute: "make the calls of a proposal that is due",
  cancel: "cancel it: its proposer before the vote, the guardian once queued",
};

const program = createProgram({
  name: "governance",
  summary: "Proposals and roles. Says in words what changes before anything is signed.",
});

withSending(program.command("propose <action> [values...]"))
  .description("propose one of the ready-made actions")
  .option("--description <text>", "what voters read (default: the words of the action)")
  .addHelpText("after", listOf("proposal"))
  .action((action: string, values: string[], options: ActionOptions) =>
    inSession(options, async (session) =>
      (await import("./runAction.ts")).runAction(session, "proposal", [action, values], options),
    ),
  );

withSending(program.command("vote <proposal> <choice>"))
  .description("vote for, against or abstain")
  .action((proposal: string, choice: string, options: SendOptions) =>
    inSession(options, async (session) =>
      (await import("./followProposal.ts")).followProposal(
        ...([session, "vote", { proposal, choice }, options] as const),
      ),
    ),
  );

for (const [name, description] of Object.entries(FOLLOWING)) {
  withSending(program.command(`${name} <proposal>`))
    .description(description)
    .action((proposal: string, options: SendOptions) =>
      inSession(options, async (session) =>
        (await import("./followProposal.ts")).followProposal(
          ...([session, name as Following, { proposal }, options] as const),
        ),
      ),
    );
}

for (const [name, description, withState] of [
  ["status", "a proposal, its calls in words, and where it stands", true],
  ["decode", "a proposal and its calls in words", false],
] as const) {
  withChain(program.command(`${name} <proposal>`))
    .description(description)
    .action((proposal: string, options: ChainOptions) =>
      inSession(options, async (session) =>
        (await import("./showProposal.ts")).showProposal(session, proposal, { withState }),
      ),
    );
}

withChain(program.command("list"))
  .description("all proposals")
  .action((options: ChainOptions) =>
    inSession(options, async (session) =>
      (await import("./showProposal.ts")).listProposals(session),
    ),
  );

withSending(program.command("delegate <account>"))
  .description("let an account vote with your OPG; yourself: your own address")
  .action((account: string, options: SendOptions) =>
    inSession(options, async (session) =>
      (await import("./delegateVotes.ts")).delegateVotes(session, account, options),
    ),
  );

withSending(program.command("guardian <action> [values...]"))
  .description("take away at once, as the guardian")
  .addHelpText("after", listOf("guardian"))
  .action((action: string, values: string[], options: SendOptions) =>
    inSession(options, async (session) =>
      (await import("./runAction.ts")).runAction(session, "guardian", [action, values], options),
    ),
  );

withSending(program.command("as-role <action> [values...]"))
  .description("any action with a role that the account holds itself: at once, or scheduled")
  .addHelpText("after", `${listOf("role")}${listOf("proposal")}${listOf("guardian")}`)
  .action((action: string, values: string[], options: SendOptions) =>
    inSession(options, async (session) =>
      (await import("./asRole.ts")).runAsRole(session, [action, values], options),
    ),
  );

withChain(program.command("scheduled"))
  .description("what roles with a delay have scheduled in the AccessManager")
  .action((options: ChainOptions) =>
    inSession(options, async (session) => (await import("./scheduled.ts")).listScheduled(session)),
  );

for (const [verb, description] of [
  ["execute", "make a scheduled call that is due"],
  ["cancel", "cancel a scheduled call: who scheduled it, or the guardian"],
] as const) {
  withSending(program.command(`${verb}-scheduled <operation>`))
    .description(description)
    .action((operation: string, options: SendOptions) =>
      inSession(options, async (session) =>
        (await import("./scheduled.ts")).changeScheduled(session, verb, operation, options),
      ),
    );
}

withChain(program.command("record-root <values...>"))
  .description("write a rotated root into the address book: <file.der> and two transactions")
  .action((values: string[], options: ChainOptions) =>
    inSession(options, async (session) =>
      (await import("./recordRoot.ts")).recordRoot(session, values),
    ),
  );

withChain(program.command("record-timelock <transaction>"))
  .description("write a replaced timelock into the address book: what created it")
  .action((transaction: string, options: ChainOptions) =>
    inSession(options, async (session) =>
      (await import("./recordTimelock.ts")).recordTimelock(session, [transaction]),
    ),
  );

withChain(program.command("record-escrow <transaction>"))
  .description("write an escrow that was added into the address book: what created it")
  .action((transaction: string, options: ChainOptions) =>
    inSession(options, async (session) =>
      (await import("./recordEscrow.ts")).recordEscrow(session, [transaction]),
    ),
  );

await runProgram(program);
