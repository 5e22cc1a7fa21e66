import { readdirSync, readFileSync } from "node:fs";

/** A process of this machine. Its number may be another's later; together with its start it is not. */
export type ProcessId = { pid: number; started: string };

type Status = ProcessId & { state: string; parent: number };

/** All descendants that a process has now, in groups of their own or not. Linux only; none elsewhere. */
export function descendantsOf(ancestor: number): ProcessId[] {
  const processes = new Map(allProcesses().map((status) => [status.pid, status]));
  const isDescendant = ({ parent }: Status): boolean => {
    if (parent === ancestor) return true;
    const status = processes.get(parent);
    return status !== undefined && isDescendant(status);
  };
  return [...processes.values()].filter(isDescendant).map(({ pid, started }) => ({ pid, started }));
}

/** Whether a process runs. One that has ended and waits for its parent to notice (state Z) does not. */
export function isAlive({ pid, started }: ProcessId): boolean {
  const status = statusOf(pid);
  return status?.started === started && status.state !== "Z" && status.state !== "X";
}

function allProcesses(): Status[] {
  if (process.platform !== "linux") return [];
  const names = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return names.map((name) => statusOf(Number(name))).filter((status) => status !== undefined);
}

/** What the system says of a process; undefined if there is none. */
function statusOf(pid: number): Status | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name, in brackets, may have anything in it; the start is field 22, the state field 3.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state = "", parent] = fields;
    return { pid, state, parent: Number(parent), started: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}
