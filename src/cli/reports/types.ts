import type { RouteOutput } from "../../admin/client.ts";

/** The doctor's report as it comes over the admin API or out of a file. Text of peers in it is not safe to print: every renderer cleans it. */
export type DoctorReport = RouteOutput<"doctor">;

/** A named cause. */
export type Finding = DoctorReport["findings"][number];

/** One host on one node. */
export type Cell = DoctorReport["matrix"][number]["cells"][number];
