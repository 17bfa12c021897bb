import { formatEndpoint, ipFamily } from "../base/index.ts";
import type { BalanceMode } from "../config/index.ts";
import { addressFor, isEvery, proxyNote, type Front, type FrontNode, type Lane } from "./front.ts";

const BALANCE: Readonly<Record<BalanceMode, string>> = {
  "five-tuple": "    hash $remote_addr:$remote_port consistent;\n",
  source: "    hash $remote_addr consistent;\n",
  "round-robin": "",
  "least-connections": "    least_conn;\n",
};

/**
 * A file for nginx's main context: a `stream` block, and as a comment the script that asks `/readyz` and marks nodes `down`, because the free
 * nginx has no active checks. It cannot decide by host: that takes a check for each, which only the commercial one has.
 */
export function exportNginxStream(front: Front): string {
  return `${head(front)}
stream {
${front.lanes.map((lane) => laneText(front, lane)).join("\n")}}
`;
}

function head(front: Front): string {
  return `# nginx (stream) in front of the farm ${front.farm}: made by \`certfarm export nginx-stream\` out of farm.yaml. Make it anew when nodes or ports change.
#
# Fill in or check:
#  - name this file at the top level of nginx.conf: include /etc/nginx/certfarm.conf; nothing else may have a \`stream\` block or these ports
#  - Debian and Ubuntu: apt-get install libnginx-mod-stream
#  - every node's health port must be reachable from here, and from balancers only
#  - ${proxyNote(front)} nginx sends PROXY protocol version 1, which nodes read as well.
#
# nginx itself only notices nodes that take no connection (max_fails). The script below asks every node's /readyz and marks those that are not ready,
# and those that are drained, as \`down\` in this file; connections that are there go on. Take it out of here, and run it each second:
#   sed -n 's/^#| \\{0,1\\}//p' /etc/nginx/certfarm.conf > /usr/local/sbin/certfarm-nginx-check
#   while sleep 1; do sh /usr/local/sbin/certfarm-nginx-check /etc/nginx/certfarm.conf; done
${script(front)
  .split("\n")
  .map((line) => `#| ${line}`.trimEnd())
  .join("\n")}
#
# NGINX Plus needs no script: put this into each \`server\` below, with the node's health port, and \`match certfarm_ready { expect ~ "200 OK"; }\` beside them:
#   health_check interval=1s port=${front.nodes[0]?.health.port ?? 8081} match=certfarm_ready;
`;
}

/** When no node is ready, or none can be asked, the file stays: a broken check must not end the service. */
function script({ nodes }: Front): string {
  const asked = nodes.filter(({ weight }) => weight > 0);
  return `conf=\${1:?usage: certfarm-nginx-check FILE}
new=$conf.new ready=0
cp "$conf" "$new" || exit 2
while read -r name url; do
  down=' down'
  if curl -fs -o /dev/null -m 2 "$url"; then down= ready=1; fi
  sed -i "s/^\\( *server .* fail_timeout=3s\\)\\( down\\)*; # node $name\\$/\\1$down; # node $name/" "$new"
done <<'NODES'
${asked.map(({ name, health }) => `${name} http://${formatEndpoint(health)}/readyz`).join("\n")}
NODES
if [ "$ready" = 0 ] || cmp -s "$conf" "$new"; then rm "$new"; exit 0; fi
mv "$new" "$conf" && \${NGINX:-nginx} -s reload`;
}

function laneText(front: Front, lane: Lane): string {
  const { addresses, mode, proxyProtocol, connectTimeoutMs, idleTimeoutMs } = front.settings;
  const name = `${lane.protocol}_${lane.bindingPort}`;
  const listens = addresses.map((address) => {
    return `    listen ${formatEndpoint({ address, port: lane.port })}${ipFamily(address) === 6 ? " ipv6only=on" : ""};`;
  });
  return `  upstream ${name} {
${BALANCE[mode]}${front.nodes.map((node) => `    ${serverLine(front, lane, node)}`).join("\n")}
  }
  server {
${listens.join("\n")}
    proxy_pass ${name};
    proxy_protocol ${proxyProtocol ? "on" : "off"};
    proxy_connect_timeout ${connectTimeoutMs}ms;
    proxy_timeout ${idleTimeoutMs}ms;
  }
`;
}

function serverLine({ settings }: Front, lane: Lane, node: FrontNode): string {
  const family = settings.addresses.some((address) => ipFamily(address) === 4 || isEvery(address)) ? 4 : 6;
  const where = formatEndpoint({ address: addressFor(node, family), port: lane.nodePort(node) });
  // nginx knows no weight 0: such a node is out until somebody takes the word away.
  if (node.weight === 0) return `server ${where} down; # node ${node.name}, whose weight is 0`;
  return `server ${where} weight=${node.weight} max_fails=1 fail_timeout=3s; # node ${node.name}`;
}
