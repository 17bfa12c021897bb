/** Parses a farm.yaml in a thread of its own: see readConfig. */
import { parseFarmConfig } from "../config/parse-farm-config.ts";
import { toWire, type WireReading } from "./config-wire.ts";

/** The text of a farm.yaml in, its reading out. */
export const work = (yaml: unknown): WireReading => toWire(parseFarmConfig(String(yaml)));
