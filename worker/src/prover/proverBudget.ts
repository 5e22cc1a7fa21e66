/** What one process may use for proofs. */
export type ProverBudget = {
  /** snarkjs threads: witnesses, verification, and proofs where there is no native prover */
  threads: number;
  /** jobs in work at once */
  jobs: number;
  /** memory for the native prover's keys in MiB */
  cacheMb: number;
};

const MIB = 2 ** 20;
/** A thread before it has a model: snarkjs, its curve and its heap. */
const THREAD_BYTES = 256 * MIB;
/** A thread holds its keys, and a proof without the native prover needs about twice its key. */
const KEY_COPIES = 3;
/** Of the machine's memory: half for threads, a quarter for the native prover's keys, the rest for everything else. */
const THREADS_SHARE = 1 / 2;
const CACHE_SHARE = 1 / 4;
const CACHE_MB = { least: 64, most: 4_096 };

/**
 * One core stays free for HTTP and the chain; every other one gets a thread, as far as the memory goes. The native
 * prover spreads each proof over all cores, and a device takes one proof at a time in memory that it bounds itself: one
 * job more than there are threads keeps it busy while the threads work on the next ones.
 */
export function proverBudget(parameters: {
  cores: number;
  /** bytes that this process may use */
  memory: number;
  /** bytes of all proving keys */
  keys: number;
  isNative: boolean;
  /** `HACA_PROVE_THREADS`, which goes before cores and memory */
  setting: number | undefined;
}): ProverBudget {
  const { cores, isNative, keys, memory, setting } = parameters;
  const room = Math.floor((memory * THREADS_SHARE) / (THREAD_BYTES + KEY_COPIES * keys));
  const threads = setting ?? Math.max(1, Math.min(cores - 1, room));
  const share = Math.floor((memory * CACHE_SHARE) / MIB);
  return {
    threads,
    jobs: isNative ? threads + 1 : threads,
    cacheMb: Math.min(CACHE_MB.most, Math.max(CACHE_MB.least, share)),
  };
}
