import type { Command } from "commander";
import { createProgram, withChain, withSending } from "../lib/program.ts";

const withJson = (command: Command): Command =>
  withChain(command).option("--json", "one JSON object, for programs");
const more = (url: string, before: readonly string[] = []): string[] => [...before, url];

/** The command line of `npm run feeds`; each one is run once. */
export function feedsProgram(): Command {
  const program = createProgram({
    name: "feeds",
    summary: "Feeds of data nodes: their rounds, their readers, and who observed.",
  }).addHelpText(
    "after",
    `
A feed is named by its id, its reader's address, or its description where one
feed alone has it. A round is stale when it is older than two heartbeats.
Feeds are created and ended by proposals: npm run governance -- propose
create-feed (docs/data-feeds.md).`,
  );

  withJson(program.command("list"))
    .description("every feed that ever was created, and how its latest round stands")
    .action(async (options) => (await import("./list.ts")).list(options));

  withJson(program.command("show"))
    .description("a feed: its parameters, its reader, its latest round")
    .argument("<feed>")
    .action(async (feed: string, options) =>
      (await import("./list.ts")).show({ ...options, feed }),
    );

  withJson(program.command("rounds"))
    .description("the last rounds of a feed, the newest first")
    .argument("<feed>")
    .option("--last <number>", "how many, 1 to 1000", "20")
    .action(async (feed: string, options) =>
      (await import("./rounds.ts")).rounds({ ...options, feed }),
    );

  withJson(program.command("read"))
    .description("ask a reader as a consumer does; any AggregatorV3Interface will do")
    .argument("<reader>", "address")
    .option("--round <number>", "an old round (default: the latest)")
    .action(async (reader: string, options) =>
      (await import("./read.ts")).read({ ...options, reader }),
    );

  withJson(program.command("check"))
    .description(
      "whether the latest round is stale, is the median of what was posted, and which nodes observed; " +
        "status 1 where it is stale, missing or not that",
    )
    .argument("[feed]", "(default: all that are open)")
    .action(async (feed: string | undefined, options) =>
      (await import("./check.ts")).check({ ...options, feed }),
    );

  withSending(program.command("post"))
    .description("gather observations of data nodes, and post those that count as the next round")
    .argument("<feed>")
    .requiredOption("--from <url>", "of a data node, worker -- data-node; once for each", more)
    .action(async (feed: string, options) =>
      (await import("./post.ts")).post({ ...options, feed }),
    );

  return program;
}
