export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f4f5f4; --card: #fff; --ink: #15191c; --soft: #646b70; --line: #e6e9e7; --sunk: #f4f6f5;
  --green: #07c160; --green-ink: #067a3e; --amber-ink: #8d5200; --violet: #6d4aff; --violet-ink: #4a33a8;
  --violet-ground: #f6f3ff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1211; --card: #191d1b; --ink: #eaeeec; --soft: #98a19d; --line: #2a302d; --sunk: #121614;
    --green-ink: #3ddc88; --amber-ink: #f0b25c; --violet: #8f76ff; --violet-ink: #c3b6ff;
    --violet-ground: #1c1833;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.6 system-ui, -apple-system, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'WenQuanYi Micro Hei', sans-serif;
}
main {
  display: grid; grid-template-columns: minmax(0, 1fr); gap: 16px; max-width: 1000px; margin: 0 auto;
  padding: 20px 20px calc(48px + env(safe-area-inset-bottom));
}
h1, h2, p, dl, dd, pre { margin: 0; }
h1 { font-size: 26px; line-height: 1.3; font-weight: 700; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { font-size: 17px; line-height: 1.4; font-weight: 600; }
small, .en { font-size: 13px; line-height: 1.5; color: var(--soft); font-weight: 400; letter-spacing: 0; }
p .en, h2 .en { display: block; }
.soft { color: var(--soft); }
code, pre, .left { font-family: ui-monospace, 'SF Mono', Menlo, Consolas, 'Liberation Mono', monospace; font-size: 14px; }
code { overflow-wrap: anywhere; }
.facts code { font-size: 12.5px; word-break: break-all; }
a { color: inherit; }
:focus-visible { outline: 3px solid var(--green); outline-offset: 3px; }

.brand { display: flex; align-items: center; gap: 8px; font-weight: 600; font-size: 15px; text-decoration: none; }
.brand i { width: 12px; height: 12px; border-radius: 50%; background: var(--green); }
.brand small { margin-left: auto; }

.hero { padding: 28px 0 12px; }
.hero h1 { font-size: 34px; }
.hero h1 span { display: inline-block; }
.hero .en { margin-top: 8px; font-size: 15px; }

.known { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 16px; padding: 16px 0 4px; }
.person { display: flex; align-items: center; gap: 16px; min-width: 0; }
.avatar { flex: none; width: 64px; height: 64px; border-radius: 14px; background: var(--line); object-fit: cover; }
svg.avatar { fill: var(--soft); }
.how { font-size: 15px; }
.facts .en, .lifetime .en { display: inline; }
.lead { max-width: 640px; }
.lead code { display: block; margin-bottom: 4px; color: var(--green-ink); }
.lead .en { display: block; }

.columns { display: grid; grid-template-columns: minmax(0, 1fr); gap: 16px; align-items: start; }
.columns.even { align-items: stretch; }
.panel, .way { padding: 20px; border: 1px solid var(--line); border-radius: 16px; background: var(--card); }
.panel > * + * { margin-top: 12px; }
.panel .button { justify-self: start; }

.way { display: flex; flex-direction: column; gap: 8px; height: 100%; text-decoration: none; }
.way > code { color: var(--green-ink); }
.way .button { margin-top: auto; }
.way > code + .button { margin-top: 8px; }
@media (hover: hover) { .way:hover { border-color: var(--green); } }

.button {
  display: inline-flex; flex-wrap: wrap; align-items: baseline; justify-content: center; gap: 0 8px;
  padding: 9px 20px; border: 1px solid transparent; border-radius: 10px; background: var(--green); color: #fff;
  font: inherit; font-weight: 600; text-align: center; text-decoration: none; cursor: pointer;
}
.button .en { color: inherit; opacity: 0.9; }
.button.quiet { border-color: var(--line); background: var(--card); color: var(--ink); font-weight: 500; }
.button.quiet .en { color: var(--soft); opacity: 1; }
.button:active { opacity: 0.8; }
[hidden] { display: none !important; }

.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 8px 12px; font-size: 15px; }
.facts dt { color: var(--soft); }
.facts dd { overflow-wrap: anywhere; }
.tag { padding: 2px 10px; border-radius: 999px; background: var(--sunk); border: 1px solid var(--line); font-size: 14px; font-weight: 600; }
.tag.userinfo { color: var(--green-ink); }

.lifetime { display: grid; grid-template-columns: 1fr auto; gap: 2px 16px; align-items: baseline; font-size: 15px; }
.lifetime .left { font-variant-numeric: tabular-nums; font-weight: 600; }
.lifetime .bar { grid-column: 1 / -1; height: 4px; margin: 4px 0 2px; border-radius: 2px; background: var(--line); overflow: hidden; }
.lifetime .bar i { display: block; height: 100%; border-radius: 2px; background: var(--green); }
.lifetime small { grid-column: 1 / -1; }
.lifetime + .lifetime { margin-top: 16px; }

.stage {
  display: flex; flex-direction: column; gap: 8px; padding: 16px 20px; border: 2px dashed var(--violet);
  border-radius: 16px; background: var(--violet-ground); color: var(--violet-ink); font-size: 15px;
}
.stage .en { color: inherit; opacity: 0.85; }
.stage a { font-weight: 600; }

#xhr-result { display: grid; grid-template-columns: minmax(0, 1fr); gap: 12px; }
#xhr-status { font: 600 14px/1.5 ui-monospace, 'SF Mono', Menlo, Consolas, 'Liberation Mono', monospace; }
.good { color: var(--green-ink); }
.bad { color: var(--amber-ink); }
pre { max-height: 320px; padding: 14px 16px; overflow: auto; border-radius: 10px; background: var(--sunk); border: 1px solid var(--line); font-size: 13px; line-height: 1.55; white-space: pre-wrap; overflow-wrap: anywhere; }

.onward { display: flex; flex-direction: column; gap: 12px; }

@media (min-width: 720px) {
  main { gap: 20px; padding: 32px 32px 64px; }
  .columns { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 20px; }
  .hero { padding: 40px 0 16px; }
  .hero h1 { font-size: 44px; }
  .hero .en { font-size: 18px; }
  .panel, .way { padding: 24px; }
  .way .button { align-self: start; }
  .stage { flex-direction: row; align-items: center; justify-content: space-between; gap: 32px; padding: 16px 24px; }
  .stage a { flex: none; }
  .onward { flex-direction: row; }
}
`;
