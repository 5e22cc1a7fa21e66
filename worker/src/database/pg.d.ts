/** The part of node-postgres that the worker uses; the package has no types of its own. */
declare module "pg" {
  type Result = { rows: Record<string, unknown>[] };
  export class PoolClient {
    query(sql: string, values?: readonly unknown[]): Promise<Result>;
    release(error?: Error): void;
  }
  export class Pool {
    constructor(options: { connectionString: string; application_name: string });
    connect(): Promise<PoolClient>;
    query(sql: string, values?: readonly unknown[]): Promise<Result>;
    on(event: "error", listener: (error: Error) => void): this;
    end(): Promise<void>;
  }
}
