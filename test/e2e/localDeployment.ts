import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readAddressBook } from "@haca/protocol/addressBook";
import { JsonRpcProvider } from "ethers";
import { expect } from "vitest";
import { startChain } from "../../scripts/demo/localChain.ts";
import { contractAt } from "../../scripts/lib/contracts.ts";
import { ProcessGroup } from "../../scripts/lib/processGroup.ts";
import { Command } from "./command.ts";
import { runHere } from "./runHere.ts";

export const ROOT = join(import.meta.dirname, "..", "..");
export const BOOK = join(ROOT, "deployments", "31337.json");
export const JOURNAL = join(ROOT, "deployments", "31337.journal.jsonl");
export const PARAMETERS = join(ROOT, "deployments", "parameters", "localhost.json");

/** Accounts of `deployments/parameters/localhost.json`, as the chain numbers them. */
export const GUARDIAN = 1;
export const LIQUIDITY = 3;

export type Result = { status: number | null; output: string };

/** The chain of the commands that ran in this process. */
let urlHere: string | undefined;

/** A local chain with the commands that deploy to it and govern it. */
export class LocalDeployment {
  readonly folder: string;
  readonly group: ProcessGroup;
  readonly url: string;
  /** commands, each with its verb, that were run in a process of their own */
  readonly #started = new Set<string>();

  private constructor(folder: string, group: ProcessGroup, url: string) {
    this.folder = folder;
    this.group = group;
    this.url = url;
  }

  static async start(): Promise<LocalDeployment> {
    const folder = mkdtempSync(join(tmpdir(), "haca-deployment-"));
    const group = new ProcessGroup({ logFolder: folder });
    const url = await startChain({ group, timeoutMs: 60_000, port: 0 });
    return new LocalDeployment(folder, group, url);
  }

  async stop(): Promise<void> {
    await this.group.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async run(
    commandLine: readonly string[],
    environment: Record<string, string> = {},
    place: { cwd?: string } = {},
  ): Promise<Result> {
    const command = new Command(commandLine, { HACA_RPC_URL: this.url, ...environment }, place);
    return { status: await command.exit(), output: command.output };
  }

  /**
   * A command: the first time with this verb as its user has it, in a process, afterwards in this one. Hardhat keeps the URL
   * that it read first: a test file that has several chains has the commands of the later ones in processes alone.
   */
  async use(
    path: string,
    options: readonly string[],
    environment: Record<string, string> = {},
  ): Promise<Result> {
    const verb = `${path} ${options[0] ?? ""}`;
    if (!this.#started.has(verb) || (urlHere ?? this.url) !== this.url) {
      this.#started.add(verb);
      return await this.run([path, ...options], environment);
    }
    urlHere = this.url;
    return await runHere({
      ...{ path, options },
      environment: { HACA_RPC_URL: this.url, ...environment },
    });
  }

  deploy(environment: Record<string, string> = {}, ...options: string[]): Promise<Result> {
    return this.run(["scripts/deploy/cli.ts", "--network", "localhost", ...options], environment);
  }

  check(): Promise<Result> {
    return this.run(["scripts/deploy/check/cli.ts", "--network", "localhost"]);
  }

  governance(...options: string[]): Promise<Result> {
    return this.use("scripts/governance/cli.ts", options);
  }

  /** Resolves to what brings chain and files of the deployment back to what they are now, once. */
  async remember(): Promise<() => Promise<void>> {
    const files = [BOOK, JOURNAL].map((path) => ({
      path,
      text: existsSync(path) ? readFileSync(path, "utf8") : undefined,
    }));
    const snapshot = await this.#send("evm_snapshot", []);
    return async () => {
      await this.#send("evm_revert", [snapshot]);
      for (const { path, text } of files) {
        if (text === undefined) rmSync(path, { force: true });
        else writeFileSync(path, text);
      }
    };
  }

  async #send(method: string, values: unknown[]): Promise<unknown> {
    const provider = this.provider();
    try {
      return await provider.send(method, values);
    } finally {
      provider.destroy();
    }
  }

  /** The caller destroys it. */
  provider(): JsonRpcProvider {
    return new JsonRpcProvider(this.url);
  }

  /** Gives the liquidity account's tokens a vote, a while ago. The caller destroys the provider. */
  async delegate(): Promise<JsonRpcProvider> {
    const provider = this.provider();
    const signer = await provider.getSigner(LIQUIDITY);
    const address = readAddressBook(BOOK).contracts.OPG?.address ?? "";
    const opg = contractAt({ name: "OPG", address, runner: signer });
    await (await opg.delegate(signer.address)).wait();
    await later(provider, 5);
    return provider;
  }
}

/** Moves the chain's clock on. */
export async function later(provider: JsonRpcProvider, seconds: number): Promise<void> {
  await provider.send("evm_increaseTime", [seconds]);
  await provider.send("evm_mine", []);
}

/** The output of a command that succeeds; of one that does not, in the failure. */
export async function success(running: Promise<Result>): Promise<string> {
  const result = await running;
  expect(result.status, result.output).toBe(0);
  return result.output;
}

/** The one line in which a command says why it fails. */
export async function failure(running: Promise<Result>): Promise<string> {
  const { status, output } = await running;
  expect(status, output).toBe(1);
  const errors = output.split("\n").filter((line) => line.startsWith("error:"));
  expect(errors, output).toHaveLength(1);
  expect(output).not.toContain("    at ");
  return errors[0] ?? "";
}

/** Why a promise was rejected. Vitest's `rejects` is another one where Hardhat is loaded, as commands do. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => expect.unreachable("it was not rejected"),
    (error: unknown) => error,
  );
}

/** The one line of a command that fails and must send nothing. */
export async function refusalOn(
  provider: JsonRpcProvider,
  running: Promise<Result>,
): Promise<string> {
  // Not `getBlockNumber`, which remembers its answer for a moment.
  const height = () => provider.send("eth_blockNumber", []);
  const before = await height();
  const line = await failure(running);
  expect(await height()).toBe(before);
  return line;
}
