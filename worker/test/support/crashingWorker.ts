import { readSettings } from "../../src/config/commandLine.ts";
import { readConfig } from "../../src/config/readConfig.ts";
import { createLogger } from "../../src/logger.ts";
import { PORTS, type Ports } from "../../src/start/openParts.ts";
import { startWorker } from "../../src/start/startWorker.ts";
import { observedDatabase } from "./observedDatabase.ts";
import { TRANSITIONS, type Transition } from "./transitions.ts";
import { watchSending } from "./watchSending.ts";

// A worker like that of `worker/src/cli.ts`, which kills itself right after a transition, so that no handler of its own can
// tidy up: `node crashingWorker.ts <transition> <roles…>`. Database and endpoint are wrapped; everything else is the real one.
const [word, ...roles] = process.argv.slice(2);
const fatal = TRANSITIONS.find((transition) => transition === word);
if (fatal === undefined) throw new Error(`no transition ${word}`);

const onTransition = (transition: Transition): void => {
  if (transition === fatal) process.kill(process.pid, "SIGKILL");
};

const ports: Ports = {
  async openDatabase(parameters) {
    const database = await PORTS.openDatabase(parameters);
    return await observedDatabase({ database, onTransition });
  },
  async connectChain(parameters) {
    const chain = await PORTS.connectChain(parameters);
    watchSending({ chain, onTransition });
    return chain;
  },
};
const folder = process.cwd();
const settings = readSettings({ roles, options: {}, environment: process.env, folder });
const config = readConfig({ roles, settings });
const logger = createLogger({ level: config.logLevel });
await startWorker({ config, logger, signal: new AbortController().signal, ports });
