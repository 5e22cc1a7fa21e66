import type { Database } from "../storage/database.ts";
import type { HiddenInput, NewJob } from "./job.ts";

const INSERT = `INSERT INTO hidden_inputs (request_id, words, salt)
SELECT request_id, words::text[], salt FROM unnest($1::text[], $2::text[], $3::text[]) AS given (request_id, words, salt)`;

/** Stores the hidden inputs of jobs that were just inserted, in the same transaction. */
export async function addHiddenInputs(parameters: {
  database: Pick<Database, "query">;
  jobs: readonly NewJob[];
}): Promise<void> {
  const rows = parameters.jobs.flatMap(({ hidden, requestId }) =>
    hidden === undefined ? [] : [{ requestId, ...hidden }],
  );
  if (rows.length === 0) return;
  await parameters.database.query(INSERT, [
    rows.map(({ requestId }) => requestId),
    rows.map(({ words }) => `{${words.join(",")}}`),
    rows.map(({ salt }) => (salt === undefined ? null : String(salt))),
  ]);
}

const READ = "SELECT words, salt FROM hidden_inputs WHERE request_id = $1";

/** The hidden input of a job; undefined for one that shows its words. */
export async function readHiddenInput(parameters: {
  database: Pick<Database, "query">;
  requestId: string;
}): Promise<HiddenInput | undefined> {
  const [row] = await parameters.database.query(READ, [parameters.requestId]);
  if (row === undefined) return undefined;
  const salt = row.salt as string | null;
  return {
    words: (row.words as string[]).map(BigInt),
    ...(salt === null ? {} : { salt: BigInt(salt) }),
  };
}
