import type { FileListing } from "../certificates/index.ts";
import { createDrains } from "../replica/index.ts";
import { createContentVerbs, type ContentVerbs } from "./content-verbs.ts";
import { awaitRevision, type AwaitSettings, type RolloutProgress } from "./await-revision.ts";
import { listFiles, type ListRequest } from "./certificate-verbs.ts";
import { createConfigVerbs, type ConfigVerbs } from "./config-verbs.ts";
import { toFarmError } from "../base/index.ts";
import type { Finding, Report } from "../doctor/index.ts";
import { createDrillVerbs, type DrillVerbs } from "./drills/drill-verbs.ts";
import { diagnoseExamination } from "./look/diagnose-farm.ts";
import { examineFarm, type FarmLook } from "./look/examine-farm.ts";
import type { LookControl } from "./look/look-settings.ts";
import { createNodeVerbs, type NodeVerbs } from "./node-verbs.ts";
import type { OperationsParts } from "./parts.ts";
import { createFarmView } from "./present-farm.ts";
import { addCertificate, removeCertificate, type AddedCertificate, type NewCertificate } from "./add-certificate.ts";
import { createSecretVerbs, type SecretVerbs } from "./secret-verbs.ts";
import { createRepairVerbs, type RepairVerbs } from "./repair/repair-verbs.ts";
import { readStatus, type FarmStatus } from "./status.ts";

/** What an operator does with a farm. */
export interface Operations {
  /** @throws STORE_UNAVAILABLE */
  status(): Promise<FarmStatus>;
  readonly config: ConfigVerbs & {
    awaitProved(settings: AwaitSettings): Promise<RolloutProgress>;
  };
  readonly nodes: NodeVerbs;
  /**
   * Looks at the farm and names the causes of what is wrong. An abort ends the looking, not the answer.
   * @throws CONFIG_REVISION_ABSENT, NODE_UNKNOWN, HOST_NAME_INVALID, ENDPOINT_INVALID, STORE_UNAVAILABLE, PROBE_ROOTS_INVALID
   */
  doctor(look: FarmLook & LookControl): Promise<Report>;
  readonly repair: RepairVerbs;
  readonly drills: Omit<DrillVerbs, "named">;
  listCertificates(request: ListRequest): AsyncGenerator<FileListing>;
  /** @throws as addCertificate */
  addCertificate(given: NewCertificate): Promise<AddedCertificate>;
  /** @throws CERTIFICATES_FILE_ABSENT */
  removeCertificate(file: string): Promise<{ readonly removed: readonly string[] }>;
  readonly secrets: SecretVerbs;
  readonly content: ContentVerbs;
  /** No new connections for a node. Repeating it changes nothing. @throws NODE_UNKNOWN */
  drain(node: string, by?: string): Promise<void>;
  /** @throws NODE_UNKNOWN */
  undrain(node: string): Promise<void>;
}

/** The use cases over a store. They hold nothing open between calls. */
export function createOperations(parts: OperationsParts): Operations {
  const farm = createFarmView(parts);
  const drills = createDrillVerbs(parts, farm);
  const named = (findings: readonly Finding[]): Promise<void> =>
    drills.named(findings).catch((error: unknown) => {
      parts.log.warn("that a drill was named cannot be noted", { problem: toFarmError(error).message });
    });
  const drains = createDrains(parts.store, parts);
  return {
    status: () => readStatus(parts, farm),
    config: { ...createConfigVerbs(parts, farm), awaitProved: (settings) => awaitRevision(farm, settings) },
    nodes: createNodeVerbs(parts, farm),
    async doctor(look) {
      const { diagnosis, report } = diagnoseExamination(await examineFarm(parts, farm, look), look);
      await named(diagnosis.findings);
      return report;
    },
    repair: createRepairVerbs(parts, farm, named),
    drills,
    listCertificates: (request) => listFiles(parts, request),
    addCertificate: (given) => addCertificate(parts, given),
    removeCertificate: (file) => removeCertificate(parts, file),
    secrets: createSecretVerbs(parts, farm),
    content: createContentVerbs(parts),
    async drain(node, by = parts.by) {
      await farm.chosen(node);
      await drains.set(node, by);
    },
    async undrain(node) {
      // A node that left the farm may be undrained all the same.
      if (!(await drains.list()).some((drain) => drain.node === node)) await farm.chosen(node);
      await drains.unset(node);
    },
  };
}
