// How the page of an experiment looks: on a screen by day and night, on a phone, and on paper.
export const style = `:root{color-scheme:light dark;--ink:#1c2330;--soft:#5b6575;--faint:#e3e7ee;--paper:#fff;--ground:#f4f6f9;--good:#0a7d45;--bad:#c8102e;--quiet:#55627a;--one:#55627a;--two:#1565d8;--three:#b35c00;--four:#7a3db8;--goodground:#e6f5ec;--badground:#fdecee}
@media (prefers-color-scheme:dark){:root{--ink:#e8ecf3;--soft:#a3aebf;--faint:#333c4a;--paper:#1b212b;--ground:#12161d;--good:#4cc38a;--bad:#ff6b7d;--quiet:#a3aebf;--one:#a3aebf;--two:#6ea8ff;--three:#f0a35a;--four:#c49bf5;--goodground:#12301f;--badground:#3a171d}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}
main{max-width:66rem;margin:0 auto;padding:2rem 1.25rem 3rem}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .25rem}h2{font-size:1.1rem;margin:0 0 .75rem}*+h2{margin-top:1.25rem}
.facts{color:var(--soft);margin:0 0 1.25rem}.facts span+span::before{content:"·";margin:0 .5em}
section,.outcome,.alarm{background:var(--paper);border:1px solid var(--faint);border-radius:10px;padding:1.1rem 1.25rem;margin:0 0 1rem}
.outcome{font-size:1.12rem;border-left:6px solid var(--quiet)}.outcome.is-better{border-left-color:var(--good);background:var(--goodground)}.outcome.is-worse{border-left-color:var(--bad)}
.alarm{border:2px solid var(--bad);background:var(--badground);color:var(--bad);font-weight:600}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}th{font-weight:600;color:var(--soft);font-size:.85rem;text-align:left;white-space:nowrap}
th,td{padding:.45rem .6rem;border-bottom:1px solid var(--faint);vertical-align:middle}tr:last-child>td{border-bottom:0}th:first-child,td:first-child{padding-left:0}th:last-child,td:last-child{padding-right:0}
.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}.drawn{width:20rem;min-width:15rem}.small{color:var(--soft);font-size:.85rem}
.badge{display:inline-block;border:1px solid var(--two);color:var(--two);border-radius:1em;padding:0 .6em;font-size:.75rem;white-space:nowrap}
.answer{font-weight:600;white-space:nowrap}.is-better>.answer,.answer.is-better{color:var(--good)}.answer.is-worse{color:var(--bad)}.answer.is-no-difference,.answer.is-not-enough-data,.answer.is-frozen{color:var(--quiet)}
svg{display:block;width:100%;height:auto}svg text{fill:var(--soft);font-size:11px}.axis .side{font-size:11px}.grid{stroke:var(--faint)}.zero{stroke:var(--soft);stroke-width:1.5}
.range{stroke:currentColor;stroke-width:2.5;fill:none;stroke-linecap:round}.interval circle{fill:currentColor}.interval{color:var(--quiet)}.interval.is-better{color:var(--good)}.interval.is-worse{color:var(--bad)}.interval.is-not-enough-data,.interval.is-frozen{opacity:.55}
.time path{fill:none;stroke:currentColor;stroke-width:2}.time circle{fill:currentColor}.bar{fill:var(--faint)}.version-0{color:var(--one)}.version-1{color:var(--two)}.version-2{color:var(--three)}.version-3{color:var(--four)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(22rem,100%),1fr));gap:1.25rem}.charts h3{font-size:.9rem;margin:0 0 .35rem;font-weight:600}
.legend{margin:0 0 .75rem;font-size:.85rem}.legend span{display:inline-block;margin-right:1.2em}.legend i{display:inline-block;width:1.4em;border-top:3px solid currentColor;vertical-align:middle;margin-right:.4em}
.sentences{margin:.75rem 0 0;padding:0;list-style:none}.sentences li{margin:.25rem 0}footer{color:var(--soft);font-size:.8rem}
@media screen and (max-width:46rem){main{padding:1.25rem .75rem 2rem}section,.outcome,.alarm{padding:.9rem 1rem}.number{white-space:normal}
.results,.results tbody,.results tr,.results td{display:block;width:auto;min-width:0;padding:0;border:0;overflow-wrap:anywhere}.results .heads{display:none}.results .row{display:grid;grid-template-columns:auto auto 1fr;gap:.35rem 1.2rem;padding:.8rem 0;border-bottom:1px solid var(--faint)}.results .row:nth-child(2){padding-top:0}
.results .row>td:first-child{font-weight:600}.results .row>td:not(.number){grid-column:1/-1}.results .number{text-align:left}.results .number::before{content:attr(data-label);display:block;color:var(--soft);font-size:.8rem}.results .axis{margin-top:.3rem}.axis text,.axis .side{font-size:12px}.time{overflow:visible}.time text{font-size:14px}}
@media print{:root{font-size:11.5px;--ink:#000;--soft:#444;--faint:#ccc;--paper:#fff;--ground:#fff;--good:#0a6b3b;--bad:#b00020;--quiet:#444;--one:#666;--two:#0b4fae;--three:#9a4f00;--four:#5d2a91;--goodground:#fff;--badground:#fff;color-scheme:light}body{font-size:9pt}main{max-width:none;padding:0}.outcome,.alarm,.charts>div,tr{break-inside:avoid}h2,.legend{break-after:avoid}section:not(:first-of-type) .wide{break-inside:avoid}section{padding:.6rem .8rem;margin:0 0 .6rem;border:0;border-top:1px solid var(--faint);border-radius:0}.wide{overflow:visible}th,td{padding:.25rem .35rem}.drawn{width:12rem;min-width:0}.charts{grid-template-columns:1fr 1fr;gap:.8rem}}
@page{margin:14mm}`;
