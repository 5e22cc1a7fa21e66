import { Transaction } from "ethers";
import type { Chain } from "../../src/chain/chain.ts";
import { readSettings } from "../../src/config/commandLine.ts";
import { readConfig } from "../../src/config/readConfig.ts";
import { createLogger } from "../../src/logger.ts";
import { PORTS, type Ports } from "../../src/start/openParts.ts";
import { startWorker } from "../../src/start/startWorker.ts";
import { observedDatabase } from "./observedDatabase.ts";
import { TRANSITIONS, type Transition } from "./transitions.ts";

// A worker like that of `worker/src/cli.ts`, which kills itself right after a transition, so that no handler of its own can
// tidy up: `node crashingWorker.ts <transition> <roles…>`. Database and endpoint are wrapped; everything else is the real one.
const [word, ...roles] = process.argv.slice(2);
const fatal = TRANSITIONS.find((transition) => transition === word);
if (fatal === undefined) throw new Error(`no transition ${word}`);

const onTransition = (transition: Transition): void => {
  if (transition === fatal) process.kill(process.pid, "SIGKILL");
};

/** Tells of every transaction that the endpoint has taken; of two under one nonce, the second replaces the first. */
function watchSending({ provider }: Chain): void {
  const send = provider.send.bind(provider);
  const sent = new Map<number, string>();
  provider.send = async (method, params) => {
    const answer = await send(method, params);
    if (method !== "eth_sendRawTransaction") return answer;
    const [raw] = params as [string];
    const { nonce } = Transaction.from(raw);
    const earlier = sent.get(nonce);
    sent.set(nonce, raw);
    if (earlier === undefined) onTransition("broadcast");
    else if (earlier !== raw) onTransition("replacementSent");
    return answer;
  };
}

const ports: Ports = {
  async openDatabase(parameters) {
    const database = await PORTS.openDatabase(parameters);
    return await observedDatabase({ database, onTransition });
  },
  async connectChain(parameters) {
    const chain = await PORTS.connectChain(parameters);
    watchSending(chain);
    return chain;
  },
};
const folder = process.cwd();
const settings = readSettings({ roles, options: {}, environment: process.env, folder });
const config = readConfig({ roles, settings });
const logger = createLogger({ level: config.logLevel });
await startWorker({ config, logger, signal: new AbortController().signal, ports });
