/** `npm run governance -- <command>`: proposals from the command line. */
import { parseArgs } from "node:util";
import { BaseError } from "@haca/protocol/baseError";
import { reportFailure } from "../lib/reportFailure.ts";
import { ACTIONS } from "./actions/actions.ts";
import { followProposal } from "./followProposal.ts";
import { runAction } from "./runAction.ts";
import { openSession } from "./session.ts";
import { listProposals } from "./showProposal.ts";

const FOLLOWING: ReadonlySet<string> = new Set([
  "vote",
  "queue",
  "execute",
  "cancel",
  "status",
  "decode",
]);

const HELP = `Builds, simulates, submits and follows proposals. Says in words what changes before anything is signed.

usage: npm run governance -- propose <action> <values> [--description <text>] [--simulate | --safe <file>]
       npm run governance -- guardian <action> <values> [--simulate | --safe <file>]
       npm run governance -- vote <proposal id> for|against|abstain
       npm run governance -- queue|execute|cancel|status|decode <proposal id>
       npm run governance -- list

  --network      default localhost
  --account      which of the network's accounts signs (default 0)
  --description  what voters read (default: the words of the action)
  --simulate     run the whole life of the proposal on a copy of the chain, submit nothing
  --safe         write the transaction for a Safe's transaction builder, submit nothing

actions:
${ACTIONS.map(
  ({ name, usage, summary, by }) =>
    `  ${by === "guardian" ? "guardian" : "propose "} ${name} ${usage}\n             ${summary}`,
).join("\n")}`;

function parse() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      network: { type: "string", default: "localhost" },
      account: { type: "string", default: "0" },
      description: { type: "string" },
      simulate: { type: "boolean", default: false },
      safe: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  return { ...values, positionals };
}

async function main(): Promise<void> {
  const options = parse();
  const [command] = options.positionals;
  if (options.help || command === undefined) {
    console.log(HELP);
    return;
  }
  const session = await openSession(options);
  try {
    if (command === "propose" || command === "guardian") await runAction(session, options);
    else if (command === "list") await listProposals(session);
    else if (FOLLOWING.has(command)) {
      await followProposal(session, options);
    } else {
      throw new BaseError({
        code: "governance.badArgument",
        message: `no command ${command}: npm run governance -- --help`,
      });
    }
  } finally {
    await session.connection.close();
  }
}

main().catch(reportFailure);
