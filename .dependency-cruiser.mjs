import { LAYERS, PURE, SIDE_DOORS } from "./layers.mjs";

const rooms = (names) => `^src/(${names.join("|")})/`;
const rule = (name, from, to) => ({ name, severity: "error", from, to });
const IO = "^(node:)?(fs|net|tls|https?|http2|dgram|dns|child_process|timers|worker_threads)(/promises)?$";

export default {
  forbidden: [
    ...LAYERS.slice(0, -1).flatMap((line, index) =>
      line.map((room) =>
        rule(
          `layer-${room}`,
          { path: rooms([room]) },
          {
            path: rooms(
              LAYERS.slice(index)
                .flat()
                .filter((other) => other !== room),
            ),
          },
        ),
      ),
    ),
    rule(
      "one-door",
      { path: "^src/([^/]+)/" },
      { path: "^src/[^/]+/", pathNot: ["^src/$1/", "^src/[^/]+/index[.]ts$", `^src/(${SIDE_DOORS.join("|")})[.]ts$`] },
    ),
    // Besides the admin API's client: the tables of shared options; and in host.ts the types of what the composition root does for a verb.
    rule(
      "clients",
      { path: rooms(["cli"]), pathNot: "^src/cli/(identity-)?host[.]ts$" },
      { path: "^src/", pathNot: "^src/(cli|base)/|^src/admin/client[.]ts$|^src/(store/store|secrets/farm-key)-options[.]ts$" },
    ),
    rule("pure", { path: rooms(PURE), pathNot: "[.]test[.]ts$|/testing/" }, { path: IO }),
    rule("no-cycles", {}, { circular: true }),
  ],
  options: {
    parser: "swc",
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
  },
};
