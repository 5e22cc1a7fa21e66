import { readSettings } from "../../src/config/commandLine.ts";
import { createLogger } from "../../src/logger.ts";
import { readFacilitatorConfig } from "../../src/roles/facilitate/readFacilitatorConfig.ts";
import { PORTS, type Ports } from "../../src/start/openParts.ts";
import { startFacilitator } from "../../src/start/startFacilitator.ts";
import { observed } from "./observedDatabase.ts";
import {
  PAYMENT_TRANSITIONS,
  PAYMENTS,
  type PaymentTransition,
  paymentsOf,
  paymentTransitionsBetween,
} from "./paymentTransitions.ts";
import { watchSending } from "./watchSending.ts";

// As `crashingWorker.ts`, of the role that has its process alone: `node crashingFacilitator.ts <transition>`.
const [, , word] = process.argv;
const fatal = PAYMENT_TRANSITIONS.find((transition) => transition === word);
if (fatal === undefined) throw new Error(`no transition ${word}`);

const onTransition = (transition: PaymentTransition): void => {
  if (transition === fatal) process.kill(process.pid, "SIGKILL");
};

const ports: Ports = {
  async openDatabase(parameters) {
    const database = await PORTS.openDatabase(parameters);
    const read = async () => paymentsOf(await database.query(PAYMENTS));
    return await observed({ database, read, between: paymentTransitionsBetween, onTransition });
  },
  async connectChain(parameters) {
    const chain = await PORTS.connectChain(parameters);
    watchSending({ chain, onTransition });
    return chain;
  },
};
const roles = ["facilitate"];
const folder = process.cwd();
const settings = readSettings({ roles, options: {}, environment: process.env, folder });
const config = readFacilitatorConfig(settings);
const logger = createLogger({ level: config.logLevel });
await startFacilitator({ config, logger, signal: new AbortController().signal, ports });
