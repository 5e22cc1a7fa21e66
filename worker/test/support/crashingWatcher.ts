import { readSettings } from "../../src/config/commandLine.ts";
import { createLogger } from "../../src/logger.ts";
import { readWatchConfig } from "../../src/roles/watch/readWatchConfig.ts";
import { PORTS, type Ports } from "../../src/start/openParts.ts";
import { startWatcher } from "../../src/start/startWatcher.ts";
import { observed } from "./observedDatabase.ts";
import { watchSending } from "./watchSending.ts";
import { WATCH_TRANSITIONS, type WatchTransition } from "./watchTransitions.ts";

// As `crashingWorker.ts`, of the roles watch and validate: `node crashingWatcher.ts <transition> <role...>`.
const [, , word, ...names] = process.argv;
const roles = names.map((name) => (name === "validate" ? name : "watch"));
const fatal = WATCH_TRANSITIONS.find((transition) => transition === word);
if (fatal === undefined) throw new Error(`no transition ${word}`);

const onTransition = (transition: WatchTransition): void => {
  if (transition === fatal) process.kill(process.pid, "SIGKILL");
};

type Seen = Record<"signed" | "challenges" | "ended" | "duties" | "attempts" | "mined", number>;
const SEEN = `SELECT
  (SELECT count(*)::integer FROM attestations) AS signed,
  (SELECT count(*)::integer FROM page_challenges) AS challenges,
  (SELECT count(*)::integer FROM page_challenges WHERE ended_at IS NOT NULL) AS ended,
  (SELECT count(*)::integer FROM duties) AS duties,
  (SELECT count(*)::integer FROM attempts) AS attempts,
  (SELECT count(*)::integer FROM attempts WHERE block_number IS NOT NULL) AS mined`;

/** One page is looked at. */
function transitionsBetween(before: Seen, after: Seen): WatchTransition[] {
  const found: WatchTransition[] = [];
  if (after.challenges > before.challenges) found.push("made");
  if (after.signed > before.signed) found.push("signed");
  if (after.duties > before.duties) found.push("dutyTaken");
  if (after.mined > before.mined && after.mined === 1) found.push("firstMined");
  if (after.attempts > before.attempts) {
    found.push(after.attempts === 1 ? "firstRecorded" : "secondRecorded");
  }
  if (after.ended > before.ended) found.push("ended");
  return found;
}

const ports: Ports = {
  async openDatabase(parameters) {
    const database = await PORTS.openDatabase(parameters);
    const read = async () => (await database.query(SEEN))[0] as Seen;
    return await observed({ database, read, between: transitionsBetween, onTransition });
  },
  async connectChain(parameters) {
    const chain = await PORTS.connectChain(parameters);
    let sent = 0;
    watchSending({
      chain,
      onTransition() {
        sent += 1;
        onTransition(sent === 1 ? "firstSent" : "secondSent");
      },
    });
    return chain;
  },
};
const folder = process.cwd();
const settings = readSettings({
  ...{ roles, options: {}, environment: process.env, folder },
});
const config = readWatchConfig({ roles, settings });
const logger = createLogger({ level: config.logLevel });
await startWatcher({ config, logger, signal: new AbortController().signal, ports });
