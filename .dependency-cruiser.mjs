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
    rule("clients", { path: rooms(["cli"]) }, { path: "^src/", pathNot: "^src/(cli|base)/|^src/admin/client[.]ts$" }),
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
