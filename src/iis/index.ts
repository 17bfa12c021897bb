/** Real IIS: what its tools and files say as evidence, and the scripts that collect and mend. */
export { collectScript } from "./collect-script.ts";
export { repairScript } from "./repair-script.ts";
