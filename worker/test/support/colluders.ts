import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { decodeSnapshot, EPOCH_SECONDS, signAttestation } from "@haca/protocol/validatorStaking";
import { concat, Wallet } from "ethers";
import { contractAt } from "../../../scripts/lib/contracts.ts";
import { developmentKey } from "./localChain.ts";
import type { StakingContract } from "./stakingContract.ts";
import type { MadePage, WatchBed } from "./watchBed.ts";

/** Accounts of their owners. */
export const COLLUDING = [6, 7, 9] as const;

/** Key that an owner's validator signs with. */
export const keyOf = (owner: number): Wallet => new Wallet(developmentKey(owner + 20));

/** Three validators who sign whatever is proposed, and give their signatures to everybody. */
export class Colluders {
  readonly #bed: WatchBed;
  readonly #staking: StakingContract;
  readonly #server: Server;

  private constructor(bed: WatchBed, staking: StakingContract) {
    this.#bed = bed;
    this.#staking = staking;
    this.#server = createServer(async ({ url = "" }, outgoing) => {
      const pageId = url.split("/").at(-1) ?? "";
      const attestations = await Promise.all(
        COLLUDING.map(async (owner) => ({
          key: keyOf(owner).address,
          signature: await this.#sign(owner, pageId),
        })),
      );
      outgoing.setHeader("content-type", "application/json");
      outgoing.end(JSON.stringify({ pageId, attestations }));
    });
  }

  static async start(bed: WatchBed, staking: StakingContract): Promise<Colluders> {
    const colluders = new Colluders(bed, staking);
    await new Promise<void>((resolve) => colluders.#server.listen(0, "127.0.0.1", resolve));
    return colluders;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** Takes a page to the short road by their own stake. */
  async attest({ header, pageId }: MadePage): Promise<void> {
    const words = await this.#snapshot();
    const { members } = decodeSnapshot(words);
    let signers = 0n;
    const signatures: string[] = [];
    for (const [place, { key }] of members.entries()) {
      const owner = COLLUDING.find((one) => keyOf(one).address === key);
      if (owner === undefined) continue;
      signers |= 1n << BigInt(place);
      signatures.push(await this.#sign(owner, pageId));
    }
    const contract = contractAt({
      ...{ name: "ValidatorStaking", address: String(this.#staking.contract.target) },
      runner: new Wallet(developmentKey(COLLUDING[0]), this.#bed.tee.chain.provider),
    });
    await (await contract.attest(header, words, signers, concat(signatures))).wait();
  }

  /** The set of the epoch, which one of them has frozen. */
  async #snapshot(): Promise<bigint[]> {
    const epoch = (await this.#bed.pages.now()) / EPOCH_SECONDS;
    const isFrozen = (await this.#staking.snapshotOf(epoch)) !== undefined;
    if (!isFrozen) await (await this.#staking.contract.freeze()).wait();
    const words = await this.#staking.snapshotOf(epoch);
    if (words === undefined) throw new Error(`epoch ${epoch} is not frozen`);
    return words;
  }

  #sign(owner: number, pageId: string): Promise<string> {
    const staking = String(this.#staking.contract.target);
    return signAttestation({ chainId: 31337n, staking, pageId, key: keyOf(owner) });
  }
}
