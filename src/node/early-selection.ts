import { possibleFiles, type CentralCertificates } from "../certificates/index.ts";
import type { CentralView, Decision } from "../handshake/index.ts";

/** One look for files, one reading, for each kind of row and each class of candidates. */
const MAX_ROUNDS = 16;

/**
 * A decision in the first moments of a node, while the names of the central certificates are not listed: the folder is asked for the names
 * that this decision turns on, and no others. Listing a million names on a share takes long; a host with a file of its own need not wait.
 * undefined: only the whole listing can tell.
 */
export async function decideEarly(
  certificates: Pick<CentralCertificates, "view" | "read" | "look">,
  decideBy: (view: CentralView) => Decision,
): Promise<Extract<Decision, { kind: "serve" }> | undefined> {
  const looked = new Set<string>();
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const asked = new Set<string>();
    const decision = decideBy(recording(certificates.view, asked));
    const fresh = [...asked].filter((file) => !looked.has(file));
    if (fresh.length > 0) {
      if (!(await certificates.look(fresh))) return undefined;
      for (const file of fresh) looked.add(file);
    } else if (decision.kind === "need") await certificates.read(decision.files);
    else return decision.kind === "serve" ? decision : undefined;
  }
  return undefined;
}

/** The view, and in `asked` the files that its answers turn on. */
function recording(view: CentralView, asked: Set<string>): CentralView {
  return {
    candidates(host) {
      for (const file of possibleFiles(host)) asked.add(file);
      return view.candidates(host);
    },
    file(name) {
      asked.add(name);
      return view.file(name);
    },
  };
}
