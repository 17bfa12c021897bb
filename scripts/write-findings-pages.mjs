/** Writes docs/findings/ from the doctor's rules, and takes out pages of rules that are gone; run it after a build. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";

import { findingsPages } from "../dist/doctor/findings-pages.js";
import { RULES } from "../dist/doctor/rules/index.js";

const folder = new URL("../docs/findings/", import.meta.url);
const pages = findingsPages(RULES);
mkdirSync(folder, { recursive: true });
for (const name of readdirSync(folder)) if (!pages.has(name)) rmSync(new URL(name, folder));
for (const [name, text] of pages) writeFileSync(new URL(name, folder), text);
