/** Receives one line per step of long work. */
export type Progress = (line: string) => void;

/** Runs one step and reports its name before and its time after. */
export async function step<T>(parameters: {
  name: string;
  onProgress: Progress;
  run: () => Promise<T> | T;
}): Promise<T> {
  const { name, onProgress, run } = parameters;
  onProgress(`${name} …`);
  const start = performance.now();
  const result = await run();
  onProgress(`${name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
}
