import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { freePorts } from "../../../worker/test/support/freePorts.ts";
import { Child } from "../../../worker/test/support/processes.ts";
import type { PublicStack } from "../stack/publicStack.ts";
import { LOCAL } from "./askPython.ts";

/** The public network's local proxy, logged in at the stack's relay. */
export class Veil {
  readonly child: Child;
  readonly url: string;
  readonly #home: string;

  private constructor(parts: { child: Child; url: string; home: string }) {
    this.child = parts.child;
    this.url = parts.url;
    this.#home = parts.home;
  }

  /** Starts the program `og-veil` as people do who run it as a service. */
  static async start(parameters: {
    /** of the environment that has the proxy */
    python: string;
    stack: PublicStack;
    /** keccak256 of the measurements that it is to insist on */
    expectedPcr: string;
  }): Promise<Veil> {
    const { expectedPcr, python, stack } = parameters;
    const home = mkdtempSync(join(tmpdir(), "haca-veil-"));
    writeFileSync(join(home, "session.json"), JSON.stringify(sessionOf(stack)));
    const [port = 0] = await freePorts(1);
    const child = new Child({
      command: join(dirname(python), "og-veil"),
      args: [
        ...["serve", "--foreground", "--skip-setup", "--port", String(port)],
        ...["--expected-pcr", expectedPcr],
      ],
      env: { ...LOCAL, OG_VEIL_HOME: home, PYTHONUNBUFFERED: "1" },
    });
    return new Veil({ child, url: `http://127.0.0.1:${port}`, home });
  }

  /** Waits until it listens. @throws where it ends instead */
  async listening(): Promise<void> {
    await this.child.waitForLine((line) => (line.includes("Running on") ? true : undefined));
  }

  ask(body: object): Promise<Response> {
    return fetch(`${this.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  }

  async stop(): Promise<void> {
    await this.child.stop();
    rmSync(this.#home, { recursive: true, force: true });
  }
}

/** What the public network's chat application hands to a proxy that logs in: who it is, and where relay and registry are. */
const sessionOf = (stack: PublicStack) => ({
  type: "opengradient-cli-auth",
  access_token: "token",
  user: { email: "somebody@example.org" },
  config: {
    ...{ supabase_url: "http://127.0.0.1:9", supabase_anon_key: "none" },
    chat_api_base_url: stack.relay.url,
    tee_registry_rpc_url: stack.tee.chain.url,
    tee_registry_address: stack.tee.registry.target,
  },
});
