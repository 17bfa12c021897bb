/** A site's page: says which site it is, and which node answered (from the answer's own header). */
export function demoPage(site: string, certificate: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${site} · certfarm demo</title>
<style>
  body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 12vh auto; padding: 0 1rem; color: #1b1f24; background: #f6f8fa }
  h1 { margin: 0 0 .5rem } output { font-weight: 700 } small { color: #57606a }
  @media (prefers-color-scheme: dark) { body { color: #e6edf3; background: #0d1117 } small { color: #9198a1 } }
</style>
<h1>${site}</h1>
<p>Answered by node <output id="node">…</output>.</p>
<p><small>Certificate: ${certificate}</small></p>
<script>
  fetch(location.href, { method: "HEAD", cache: "no-store" }).then((answer) => {
    document.getElementById("node").textContent = answer.headers.get("x-served-by") ?? "unknown";
  });
</script>
</html>
`;
}
