import { FarmError, instant } from "../../base/index.ts";
import type { FarmStatus, Operations } from "../../operations/index.ts";

/** A status with nothing remarkable in it. */
export const STATUS: FarmStatus = {
  at: instant(1_000),
  farm: "test",
  store: "memory",
  nodes: [],
  drains: [],
  balancer: { kind: "absent" },
  matrix: { nodes: [], rows: [], known: 0, cut: false },
  problems: [],
};

/** What was asked of the use cases. */
export type Asked = (readonly [string, ...unknown[]])[];

/**
 * Use cases without a farm, for what lies above them: they note what they are asked and answer little. `changes` takes the place of some.
 */
export function noFarm(asked: Asked, changes: Partial<Operations> = {}): Operations {
  const unexpected = (name: string) => (): never => {
    throw new FarmError("INTERNAL", `${name} was not expected`);
  };
  return {
    status: () => Promise.resolve(STATUS),
    config: {
      plan: unexpected("plan"),
      apply: (request) => {
        asked.push(["apply", request]);
        return Promise.reject(new FarmError("CONFIG_WOULD_BREAK", "it would", { facts: { hosts: ["www.example.com"], total: 1 } }));
      },
      rollback: unexpected("rollback"),
      show: unexpected("show"),
      history: (limit) => {
        asked.push(["history", limit]);
        return Promise.resolve([{ number: 1, digest: "d", at: instant(5), by: "somebody" }]);
      },
      diff: unexpected("diff"),
      awaitProved: (settings) => {
        settings.onProgress?.({ revision: 3, done: 1, total: 2, laggards: [{ node: "web2", because: "slow" }] });
        return Promise.resolve({ revision: 3, done: 2, total: 2, laggards: [] });
      },
    },
    addCertificate: unexpected("addCertificate"),
    removeCertificate: unexpected("removeCertificate"),
    content: { list: unexpected("content.list"), publish: unexpected("content.publish") },
    secrets: {
      status: unexpected("secrets.status"),
      rotate: unexpected("secrets.rotate"),
      beginFarmKeyChange: unexpected("beginFarmKeyChange"),
      endFarmKeyChange: unexpected("endFarmKeyChange"),
      passwords: unexpected("passwords"),
      addPassword: unexpected("addPassword"),
      removePassword: unexpected("removePassword"),
    },
    nodes: {
      bindings: unexpected("bindings"),
      addBinding: unexpected("addBinding"),
      deleteBinding: (node, row) => {
        asked.push(["deleteBinding", node, row]);
        return Promise.resolve({ text: row });
      },
      explain: (node, question) => {
        asked.push(["explain", node, question]);
        const problem = { code: "NODE_NO_ANSWER", message: "web1 is away", remedy: "wait" } as const;
        return Promise.resolve([{ node: "web1", kind: "problem", problem }]);
      },
      refusals: unexpected("refusals"),
      prove: unexpected("prove"),
    },
    doctor: unexpected("doctor"),
    repair: { plan: unexpected("repair.plan"), run: unexpected("repair.run"), history: unexpected("repair.history") },
    drills: {
      list: unexpected("drill.list"),
      start: unexpected("drill.start"),
      stop: unexpected("drill.stop"),
      score: unexpected("drill.score"),
    },
    listCertificates: unexpected("listCertificates"),
    drain: (node, by) => {
      asked.push(["drain", node, by]);
      return Promise.resolve();
    },
    undrain: unexpected("undrain"),
    ...changes,
  };
}
