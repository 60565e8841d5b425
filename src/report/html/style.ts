/** The page's only style sheet. No rule names anything outside of the page. */
export const styleSheet = `
:root{color-scheme:light dark;--bg:#fff;--card:#f6f7f9;--ink:#1b1f24;--soft:#59636e;--rule:#d5d9df;
--good:#1a7f37;--warning:#8a5a00;--bad:#c11f2a;--goodbg:#e6f4ea;--warningbg:#fff4d6;--badbg:#fde9ea;--c1:#2563c9;--c2:#b3520a;--band:#2563c933}
@media screen and (prefers-color-scheme:dark){:root{--bg:#14171b;--card:#1d2127;--ink:#e8eaed;--soft:#a3acb8;--rule:#363c45;
--good:#56c271;--warning:#e0a83b;--bad:#ff7b80;--goodbg:#173021;--warningbg:#372b10;--badbg:#3b1a1d;--c1:#7aa9f7;--c2:#f0a15e;--band:#7aa9f740}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
main{max-width:1080px;margin:0 auto;padding:28px 24px 48px}
h1{font-size:26px;line-height:1.2;margin:0 0 4px}
h2{font-size:19px;margin:40px 0 12px;padding-top:12px;border-top:1px solid var(--rule)}
h3{font-size:15px;margin:20px 0 6px}
p{margin:6px 0}
a{color:var(--c1)}
.soft,.note,figcaption{color:var(--soft)}
.skip{position:absolute;left:-999px}.skip:focus{left:8px;top:8px;background:var(--bg);padding:6px}
nav{margin:18px 0 0;font-size:14px}nav a{display:inline-block;margin:0 14px 4px 0}nav p{margin:4px 0}nav b{margin-right:12px}
.verdict{border-radius:10px;padding:16px 20px;margin:20px 0 0;border-left:6px solid}
.verdict strong{font-size:19px}
.verdict.tone-good{background:var(--goodbg);border-color:var(--good)}
.verdict.tone-warning{background:var(--warningbg);border-color:var(--warning)}
.verdict.tone-bad{background:var(--badbg);border-color:var(--bad)}
.verdict ul,.verdict ol{margin:8px 0 0;padding-left:22px}
.verdict li{margin:4px 0;overflow-wrap:anywhere}
.advice{display:block;color:var(--soft);font-size:14px}
.tone-good{color:var(--good)}.tone-warning{color:var(--warning)}.tone-bad{color:var(--bad)}
.verdict.tone-good,.verdict.tone-warning,.verdict.tone-bad{color:var(--ink)}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:10px;margin:10px 0 16px}
.figure{background:var(--card);border-radius:8px;padding:10px 14px;min-width:0}
.figure dt{font-size:13px;color:var(--soft)}
.figure dd{margin:0;font-size:20px;font-weight:600;overflow-wrap:anywhere}
.figure .note{display:block;font-size:12.5px;font-weight:400;line-height:1.35}
.scroll{overflow-x:auto;margin:8px 0 16px}
table{border-collapse:collapse;width:100%;font-size:14px}
caption{text-align:left;font-weight:600;padding:6px 0}
th{font-weight:600;color:var(--soft);font-size:12.5px;white-space:nowrap}
th,td{padding:5px 12px 5px 0;border-bottom:1px solid var(--rule);text-align:left;vertical-align:top}
td{overflow-wrap:anywhere;min-width:72px}td.tight{white-space:nowrap}
th.right+th.left,td.right+td.left{padding-left:14px}
th.right,td.right{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums;overflow-wrap:normal}
td .bar{display:block;width:100%;max-width:220px;height:4px;margin-top:3px}
.bar rect{fill:var(--c1)}
figure{margin:14px 0 20px;min-width:0}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:0 36px}
figcaption{font-size:14px;font-weight:600;margin-bottom:4px}
.legend{font-weight:400;margin-left:10px}.key{display:inline-block;margin-right:12px;font-size:13px;white-space:nowrap}
.key::before{content:"";display:inline-block;width:12px;height:3px;margin-right:5px;vertical-align:middle;background:currentColor}
.key.dot::before,.key.ring::before{height:9px;width:9px;border-radius:50%}
.key.ring::before{background:none;border:2px solid currentColor}
.key.square::before{height:9px;width:9px}
.key.line-1{color:var(--c1)}.key.line-2{color:var(--c2)}.key.band{color:var(--soft)}.key.band::before{background:var(--band);height:10px}
.plot{display:grid;grid-template-columns:auto 1fr;gap:2px 8px}
.plot svg{width:100%;height:170px;display:block;overflow:visible}
.y{display:flex;flex-direction:column;justify-content:space-between;text-align:right;font-size:11.5px;color:var(--soft);margin:-8px 0;font-variant-numeric:tabular-nums;white-space:nowrap}
.x{display:flex;justify-content:space-between;font-size:11.5px;color:var(--soft);grid-column:2}
.grid{stroke:var(--rule);stroke-width:1;vector-effect:non-scaling-stroke}
.line{fill:none;stroke-width:1.6;vector-effect:non-scaling-stroke;stroke-linejoin:round}
path.line-1{stroke:var(--c1)}path.line-2{stroke:var(--c2)}circle.line-1{fill:var(--c1)}circle.line-2{fill:var(--c2)}
.band{fill:var(--band)}
.limit{stroke:currentColor;stroke-width:1.4;stroke-dasharray:5 4;vector-effect:non-scaling-stroke}
.timeline svg{width:100%;height:48px;display:block;overflow:visible}
.mark{fill:none;stroke:currentColor;stroke-width:10px;stroke-linecap:round;vector-effect:non-scaling-stroke}.mark.square{stroke-linecap:square;stroke-width:8px}.mark.hole{stroke:var(--bg);stroke-width:5px}
footer{margin-top:44px;border-top:1px solid var(--rule);padding-top:12px;font-size:13px;color:var(--soft)}
@media (max-width:560px){main{padding:18px 14px 36px}h1{font-size:21px}.figures{grid-template-columns:1fr 1fr}.figure dd{font-size:17px}.plot svg{height:130px}.chart .x span:nth-child(even){display:none}
.scroll td{min-width:0}.scroll th,.scroll td{padding-right:9px;font-size:13px}.stacked thead{position:absolute;left:-9999px}.stacked,.stacked tbody,.stacked caption{display:block}.stacked tr{display:flex;flex-wrap:wrap;gap:0 14px;padding:7px 0;border-bottom:1px solid var(--rule)}.stacked td{border:0;padding:1px 0;min-width:0}.stacked td.left:not(.tight),.broad td:first-child{flex-basis:100%}.broad td:first-child{font-weight:600}.stacked td.right+td.left{padding-left:0}.stacked td[data-title]::before{content:attr(data-title) " ";color:var(--soft)}
.legend{display:block;margin-left:0}}
@media print{:root{color-scheme:light}@page{size:A4;margin:14mm}body{font-size:11pt}main{max-width:none;padding:0}nav,.skip{display:none}h2{break-after:avoid}figure,.figures,.verdict,tr{break-inside:avoid}.scroll{overflow:visible}
.verdict,.figure,.key::before{print-color-adjust:exact}.charts{grid-template-columns:1fr 1fr;gap:0 24px}.figures{grid-template-columns:repeat(auto-fit,minmax(96px,1fr));gap:8px}.figure{padding:8px}.figure dd{font-size:15px}.plot svg{height:140px}
caption{break-after:avoid}thead{break-after:avoid;break-inside:avoid}tbody tr:first-child{break-before:avoid}h2{margin-top:28px}}
`;
