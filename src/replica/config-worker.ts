import { parseFarmConfig } from "../config/parse-farm-config.ts";
import { answerOnce } from "../workers/index.ts";
import { toWire } from "./config-wire.ts";

answerOnce((yaml) => toWire(parseFarmConfig(String(yaml))));
