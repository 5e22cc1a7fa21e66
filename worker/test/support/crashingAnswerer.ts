import { readSettings } from "../../src/config/commandLine.ts";
import { readConfig } from "../../src/config/readConfig.ts";
import { createLogger } from "../../src/logger.ts";
import { PORTS, type Ports } from "../../src/start/openParts.ts";
import { startWorker } from "../../src/start/startWorker.ts";
import { DEMAND_TRANSITIONS, type DemandTransition } from "./demandTransitions.ts";
import { observed } from "./observedDatabase.ts";
import { watchSending } from "./watchSending.ts";

// As `crashingWorker.ts`, over a proof that is demanded: `node crashingAnswerer.ts <transition> <roles…>`. What was sent
// before the answer was recorded is something else.
const [word, ...roles] = process.argv.slice(2);
const fatal = DEMAND_TRANSITIONS.find((transition) => transition === word);
if (fatal === undefined) throw new Error(`no transition ${word}`);

let isRecorded = false;
const onTransition = (transition: DemandTransition): void => {
  if (transition === "answerRecorded") isRecorded = true;
  if (transition === "answerSent" && !isRecorded) return;
  if (transition === fatal) process.kill(process.pid, "SIGKILL");
};

type Seen = { open: number; proved: number; recorded: number };
const SEEN = `SELECT
  (SELECT count(*)::integer FROM demands WHERE is_open) AS open,
  (SELECT count(*)::integer FROM demands WHERE proof IS NOT NULL) AS proved,
  (SELECT count(*)::integer FROM transactions WHERE purpose LIKE 'proof of %') AS recorded`;

function transitionsBetween(before: Seen, after: Seen): DemandTransition[] {
  const found: DemandTransition[] = [];
  if (after.open > before.open) found.push("demandSeen");
  if (after.proved > before.proved) found.push("demandProved");
  if (after.recorded > before.recorded) found.push("answerRecorded");
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
    watchSending({ chain, onTransition: () => onTransition("answerSent") });
    return chain;
  },
};
const folder = process.cwd();
const settings = readSettings({ roles, options: {}, environment: process.env, folder });
const config = readConfig({ roles, settings });
const logger = createLogger({ level: config.logLevel });
await startWorker({ config, logger, signal: new AbortController().signal, ports });
