import { parentPort } from "node:worker_threads";
import { type ToThread, verifierOf } from "../verifyBeside.ts";

const verify = verifierOf((answer) => parentPort?.postMessage(answer));
parentPort?.on("message", (message: ToThread) => verify(message));
