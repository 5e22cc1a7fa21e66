import { type ToThread, verifierOf } from "./verifyBeside.ts";

/** A worker of a page, which verifies what the page's `verifyMany` sends it: the module of a `Worker` of the type `module`. */

/** Of a worker's global scope; where this is imported by anything else, nobody says anything. */
type Scope = {
  postMessage: (message: unknown) => void;
  addEventListener?: (type: "message", listener: (event: { data: ToThread }) => void) => void;
};

const scope = globalThis as unknown as Scope;
const verify = verifierOf((answer) => scope.postMessage(answer));
scope.addEventListener?.("message", ({ data }) => void verify(data));
