import type { AbstractProvider, Subscriber } from "ethers";

/**
 * Has a provider look for a transaction's receipt again and again while somebody waits for it.
 *
 * ethers looks once, and then at each new block; the block that was there at its first look counts as old. A chain that
 * mines when it is sent something and not otherwise, as Anvil does, may mine between those two looks: `wait` never ended.
 */
export function pollReceipts(provider: AbstractProvider, intervalMs: number): void {
  const subscriberOf = provider._getSubscriber.bind(provider);
  provider._getSubscriber = (subscription) =>
    subscription.type === "transaction"
      ? new ReceiptSubscriber({ provider, hash: subscription.hash, intervalMs })
      : subscriberOf(subscription);
}

class ReceiptSubscriber implements Subscriber {
  readonly #provider: AbstractProvider;
  readonly #hash: string;
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(parameters: { provider: AbstractProvider; hash: string; intervalMs: number }) {
    this.#provider = parameters.provider;
    this.#hash = parameters.hash;
    this.#intervalMs = parameters.intervalMs;
  }

  start(): void {
    this.#timer ??= setTimeout(() => void this.#look(), 0);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  pause(): void {
    this.stop();
  }

  resume(): void {
    this.start();
  }

  async #look(): Promise<void> {
    const timer = this.#timer;
    // An endpoint that is away for a moment is asked again.
    const receipt = await this.#provider.getTransactionReceipt(this.#hash).catch(() => null);
    if (receipt !== null) await this.#provider.emit(this.#hash, receipt);
    // Whoever heard of it may have stopped listening.
    if (timer === undefined || this.#timer !== timer) return;
    this.#timer = setTimeout(() => void this.#look(), this.#intervalMs);
  }
}
