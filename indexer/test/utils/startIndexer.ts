import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "./freePort.ts";
import { databaseOf, type Row, TableReader } from "./postgres.ts";
import { startProcess } from "./startProcess.ts";
import { waitFor } from "./waitFor.ts";

const COMMAND = join(import.meta.dirname, "..", "..", "launch", "cli.ts");
/** Names of all tables, as the schema declares them. */
const TABLES = globSync(join(import.meta.dirname, "..", "..", "schema", "*.ts")).flatMap((file) =>
  [...readFileSync(file, "utf8").matchAll(/onchainTable\(\s*"(\w+)"/g)].map(
    ([, name = ""]) => name,
  ),
);

/** Starts the indexer as a user does and returns once it is ready. */
export async function startIndexer(parameters: {
  rpcUrl: string;
  deployment: string;
  dataDirectory: string;
  /** the embedded database, and not PostgreSQL where that is installed */
  isEmbedded?: boolean;
  /** where blobs of pages are read; absent: nowhere */
  blobAggregator?: string;
}) {
  const port = await freePort();
  const { dataDirectory, isEmbedded = false } = parameters;
  const databaseUrl = isEmbedded ? "" : await databaseOf(dataDirectory);
  const reader = databaseUrl === "" ? undefined : new TableReader(databaseUrl);
  const program = startProcess({
    command: process.execPath,
    arguments: [COMMAND],
    environment: {
      HACA_RPC_URL: parameters.rpcUrl,
      HACA_ADDRESS_BOOK: parameters.deployment,
      HACA_INDEXER_DATA_DIR: dataDirectory,
      HACA_INDEXER_DATABASE_URL: databaseUrl,
      HACA_BLOB_AGGREGATOR: parameters.blobAggregator ?? "",
      HACA_INDEXER_PORT: String(port),
      HACA_LOG_LEVEL: "debug",
    },
  });
  const url = `http://127.0.0.1:${port}`;
  const checkAlive = () => {
    const { exitCode, signalCode } = program.child;
    if (exitCode !== null || signalCode !== null) {
      throw new Error(`the indexer ended (${exitCode ?? signalCode}):\n${program.output()}`);
    }
  };
  const wait = <T>(probe: () => Promise<T | undefined>) => waitFor({ checkAlive, probe });

  /** Waits until block `number` is indexed. */
  const indexed = (number: bigint) =>
    wait(async () => {
      const response = await fetch(`${url}/status`);
      const status = (await response.json()) as { settlement?: { block: { number: number } } };
      const reached = status.settlement?.block.number ?? -1;
      return BigInt(reached) >= number ? reached : undefined;
    });

  const sqlOverHttp = async (query: string): Promise<Row[]> => {
    const parameter = JSON.stringify({ json: { sql: query, params: [] } });
    const response = await fetch(`${url}/sql/db?${new URLSearchParams({ sql: parameter })}`);
    if (!response.ok) {
      throw new Error(`${response.status}: ${await response.text()}`);
    }
    return ((await response.json()) as { rows: Row[] }).rows;
  };
  /** The same, from the database where it is a server. */
  const sql = (query: string): Promise<Row[]> => reader?.rows(query) ?? sqlOverHttp(query);

  const graphql = async (query: string): Promise<Record<string, unknown>> => {
    const response = await fetch(`${url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query }),
    });
    const { data, errors } = (await response.json()) as {
      data: Record<string, unknown>;
      errors?: unknown;
    };
    if (errors !== undefined) {
      throw new Error(JSON.stringify(errors));
    }
    return data;
  };

  /** Every row of every table, in an order that the rows alone decide. */
  const tables = async () => {
    const entries = TABLES.map(async (table) => {
      const rows = await sql(`select * from ${table}`);
      const sorted = rows.map((row) => ({ row, key: JSON.stringify(row) }));
      sorted.sort((a, b) => (a.key < b.key ? -1 : 1));
      return [table, sorted.map(({ row }) => row)] as const;
    });
    return Object.fromEntries(await Promise.all(entries));
  };

  const stop = async (signal?: NodeJS.Signals) => {
    await reader?.close();
    return await program.stop(signal);
  };
  await wait(async () => ((await fetch(`${url}/ready`)).ok ? true : undefined));
  return { url, indexed, sql, sqlOverHttp, graphql, tables, output: program.output, stop };
}

export type Indexer = Awaited<ReturnType<typeof startIndexer>>;
