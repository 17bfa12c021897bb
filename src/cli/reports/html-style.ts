/** The style of the page: dark and light, wide and narrow, screen and paper; no resource from outside. */
export const STYLE = `
:root { color-scheme: light dark; --page: #fff; --ink: #1b1f24; --soft: #59636e; --line: #d8dee4; --card: #f6f8fa;
  --good: #1a7f37; --bad: #b3131f; --badground: #ffebe9; --warn: #8a5a00; --warnground: #fff5d6; --notice: #0a5cad; }
@media (prefers-color-scheme: dark) { :root { --page: #0f1318; --ink: #e6eaef; --soft: #9aa5b1; --line: #2d343d; --card: #171d24;
  --good: #4ac26b; --bad: #ff8b85; --badground: #3a1618; --warn: #e8b339; --warnground: #33270a; --notice: #6cb6ff; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 1.5rem; max-width: 90rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem; }
h3 { font-size: 1.05rem; line-height: 1.35; margin: 0; }
p { margin: .25rem 0; }
.soft, dt, .soft code { color: var(--soft); }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); } .notice { color: var(--notice); }
code { font: .9em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
header { border-left: .35rem solid currentColor; padding: .1rem 0 .1rem .9rem; }
header h1, header p { color: var(--ink); } header .soft { color: var(--soft); }
.matrix { overflow-x: auto; border: 1px solid var(--line); border-radius: .5rem; }
table { border-collapse: collapse; width: 100%; font-size: .95rem; }
th, td { text-align: left; padding: .4rem .75rem; vertical-align: top; border-bottom: 1px solid var(--line); overflow-wrap: normal; }
tbody tr:last-child > * { border-bottom: 0; }
thead th { background: var(--card); font-weight: 600; overflow-wrap: anywhere; min-width: 5rem; max-width: 14rem; }
tbody th { font-weight: 400; overflow-wrap: anywhere; min-width: 14rem; }
tr > :first-child { position: sticky; left: 0; background: var(--page); } thead tr > :first-child { background: var(--card); }
th details { margin: 0; }
td { white-space: nowrap; }
td small { display: block; font-weight: 400; color: var(--soft); white-space: normal; min-width: 9rem; overflow-wrap: anywhere; }
td.bad, td.odd { background: var(--badground); } td.warn, td.differs { background: var(--warnground); color: var(--warn); } td.none { color: var(--soft); }
td.odd { font-weight: 600; }
.id { display: inline-block; max-width: 100%; }
.only { border: 1px solid currentColor; border-radius: 1rem; padding: 0 .5rem; font-size: .85rem; white-space: nowrap; }
td a { color: inherit; }
details { margin: .75rem 0; } summary { cursor: pointer; }
ul.names { columns: 16rem; margin: .5rem 0; padding-left: 1.2rem; font-size: .9rem; }
article { border: 1px solid var(--line); border-left: .35rem solid currentColor; border-radius: .5rem; padding: .9rem 1.1rem; margin: 0 0 1rem; break-inside: avoid; }
article > * { color: var(--ink); }
article h3 span { font-weight: 400; }
article:target { outline: 2px solid var(--notice); }
dl { display: grid; grid-template-columns: 6rem 1fr; gap: .35rem 1rem; margin: .75rem 0 0; }
dd { margin: 0; min-width: 0; }
ul.facts, ul.gaps { margin: 0; padding-left: 1.1rem; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: .75rem; font-size: .875rem; }
@media (max-width: 640px) {
  body { padding: 1rem .875rem; }
  .matrix { border: 0; overflow: visible; }
  .matrix table, .matrix tbody { display: block; }
  .matrix thead { display: none; }
  .matrix tr { display: flex; flex-wrap: wrap; gap: .375rem; border: 1px solid var(--line); border-radius: .5rem; padding: .625rem; margin-bottom: .625rem; }
  .matrix tbody th { position: static; flex: 1 0 100%; min-width: 0; padding: 0; border: 0; font-weight: 600; }
  .matrix td { flex: 1 1 8rem; min-width: 0; padding: .3rem .5rem; border: 1px solid var(--line); border-radius: .375rem; white-space: normal; overflow-wrap: anywhere; }
  .matrix td::before { content: attr(data-node); display: block; font-size: .78rem; font-weight: 400; color: var(--soft); }
  .matrix tbody tr:last-child td { border-bottom: 1px solid var(--line); }
  .matrix td small { min-width: 0; }
  .matrix td.good, .matrix td.none { flex: 1 1 5rem; }
  .matrix td.good::before, .matrix td.none::before { display: inline; margin-right: .5rem; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .6rem; }
}
@media print {
  :root { color-scheme: light; --page: #fff; --ink: #000; --soft: #444; --line: #999; --card: #eee; --good: #0a5d22; --bad: #8f0d17; --badground: #fff; --warn: #6b4500; --warnground: #fff; --notice: #003d7a; }
  body { padding: 0; max-width: none; font-size: 10pt; }
  .matrix { overflow: visible; } table { font-size: 8.5pt; } th, td { padding: .3rem .4rem; }
  thead th, tbody th, td, td small { min-width: 0; white-space: normal; overflow-wrap: anywhere; } tr, article { break-inside: avoid; } thead { display: table-header-group; }
  td a { text-decoration: none; }
}
`;
