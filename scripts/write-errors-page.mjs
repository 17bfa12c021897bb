/** Writes docs/errors.md from the table of errors; run it after a build. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { errorsPage } from "../dist/base/errors-page.js";

writeFileSync(fileURLToPath(new URL("../docs/errors.md", import.meta.url)), errorsPage());
