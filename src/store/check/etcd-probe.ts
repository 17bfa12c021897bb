import type { Clock, Log } from "../../base/index.ts";
import type { EtcdUser } from "../drivers/etcd/login.ts";
import type { EtcdTls, Transport } from "../drivers/etcd/transport.ts";
import type { EtcdAddress } from "../drivers/etcd/url.ts";

/** What the members of a cluster are asked with. */
export interface EtcdProbe {
  readonly address: EtcdAddress;
  readonly transport: Transport;
  readonly user: EtcdUser | undefined;
  readonly tls: EtcdTls | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly closed: AbortSignal;
}
