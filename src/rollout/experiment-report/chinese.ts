// A report in Chinese.
import { decisiveOf } from './decisive.ts';
import type { Metric } from '../experiment.ts';
import { countOf } from '../wording.ts';
import { changeTexts, differenceText, figureText, shareText } from './numbers.ts';
import type { Missing } from './report.ts';
import type { Words } from './words.ts';

const numbers = { blank: '', points: ' 个百分点' };

const answers = {
  better: '更好',
  worse: '更差',
  'no-difference': '未见差异',
  'not-enough-data': '数据不足',
  frozen: '已冻结',
} as const;

/** The words of a Chinese report. */
export const chinese: Words = {
  tag: 'zh-CN',
  numbers,
  marks: { colon: '：', semicolon: '；' },
  userCount: (users) => `${countOf(users)} 名用户`,
  title: ({ rollout }) => `实验报告：${rollout}`,
  metric(metric) {
    switch (metric.kind) {
      case 'conversion': {
        const start = metric.of === null ? '首次曝光' : `首次 ${metric.of}`;
        return `转化率：${start}后 ${durationText(metric.windowMs)}内 ${metric.event}`;
      }
      case 'value':
        return `平均单值：${metric.event}${capText(metric.cap)}`;
      case 'revenue':
        return `人均收入：${metric.event}${capText(metric.cap)}`;
      case 'retention':
        return `第 ${metric.day} 天留存率`;
      default:
        return `人均事件数：${metric.event}`;
    }
  },
  verdict({ kind }, comparison, baseline) {
    const { candidate, figures, verdict } = comparison;
    if (verdict.kind === 'frozen') return `${candidate} 无结论：用户分布与分流比例不符`;
    if (verdict.kind === 'not-enough-data') return `${candidate} 数据不足：${chinese.missing(kind, verdict.missing)}`;
    if (verdict.kind === 'no-difference') {
      const { largest, largestLift } = verdict;
      const size =
        largestLift === null
          ? differenceText(kind, largest, numbers).replace('+', '')
          : `${baseline} 的 ${shareText(largestLift, numbers)}`;
      return `${candidate} 与 ${baseline} 之间没有超过 ${size} 的差异`;
    }
    const { change, lower, upper } = changeTexts(kind, decisiveOf(comparison)!, numbers);
    const means = `${figureText(kind, figures!.candidateMean, numbers)} 对 ${figureText(kind, figures!.baselineMean, numbers)}`;
    return `${candidate} 比 ${baseline} ${answers[verdict.kind]}：${means}，${change}（区间 ${lower} 至 ${upper}）`;
  },
  missing: (kind, missing) => missing.map((one) => lack(kind, one)).join('，'),
  answer: ({ kind }) => answers[kind],
  outcome({ decision, versions, metrics }) {
    const primary = metrics.find(({ role }) => role === 'primary');
    const telling = primary?.comparisons.find(({ candidate }) => candidate === decision.about);
    const baseline = versions[0]!.name;
    if (primary === undefined || telling === undefined) return '尚无定论：尚无计数。';
    const sentence = chinese.verdict(primary.metric, telling, baseline);
    if (decision.kind === 'undecided') return `尚无定论：${sentence}。`;
    return decision.version === baseline
      ? `保留 ${baseline}：${sentence}。`
      : `${decision.version} 胜出：${sentence}。`;
  },
  decidedBy: (metric) => `以“${metric}”为准，不以本指标决策`,
  mismatch({ versions, chance }) {
    const counts = versions.map(
      ({ name, users, expected }) => `${name} ${countOf(users)}（应为 ${countOf(expected)}）`,
    );
    return `用户分布与分流比例不符：${counts.join('，')}；偶然出现的概率${oddsText(-Math.log(Math.max(chance, 1e-300)))}。有用户被丢失或移动，以下数字均不可信，不作任何结论。`;
  },
  chance: (logEvidence) => (logEvidence < Math.log(2) ? '很可能' : oddsText(logEvidence)),
  adjusted: (saved) => `已用用户历史数据校正（CUPED，节省 ${shareText(Math.max(0, saved), numbers)} 的样本量）`,
  leftOut({ crossed, moved }) {
    if (crossed + moved === 0) return null;
    return `不参与任何比较的用户：${countOf(crossed)} 人见过两个版本，${countOf(moved)} 人因分流调整而换版本。`;
  },
  waiting: (users) => `${countOf(users)} 名用户结果未知`,
  uncapped: '未设上限，个别大额订单可能左右结果',
  duration: durationText,
  promise: ({ alpha }) =>
    `区间在任何时刻查看都成立：无论打开多少次报告，主要指标本无差异却被判为有差异的概率至多 ${shareText(alpha, numbers)}。跨过 0 的线段表示未见差异。`,
  label: {
    metric: '指标',
    version: '版本',
    baseline: '基线',
    candidate: '候选',
    users: '用户数',
    whoCame: '用户分布',
    expected: '应为',
    figure: '数值',
    difference: '差值',
    lift: '提升',
    interval: '区间',
    byLuck: '偶然概率',
    verdict: '结论',
    primary: '主要指标',
    release: '发布',
    age: '已运行',
    madeAt: '截至',
    worse: '更差',
    better: '更好',
    newUsers: '每日新用户',
    overTime: '随时间变化',
    phases: '分流阶段',
    began: '开始',
    split: '比例',
    events: '事件',
    event: '事件',
    count: '次数',
    valueSum: '总值',
    howToRead: '如何阅读',
    waiting: '等待中',
  },
};

function capText(cap: number | null): string {
  return cap === null ? '' : `，单笔上限 ${countOf(cap)}`;
}

function lack(kind: Metric['kind'], missing: Missing): string {
  if (missing.what === 'spread') return '数值尚无变化';
  const { have, need } = missing;
  if (missing.what === 'time') return `已运行 ${durationText(have)}，需 ${durationText(need)}`;
  const nouns = {
    users: '名结果已知的用户',
    hits: '名完成的用户',
    misses: '名未完成的用户',
    orders: kind === 'value' ? '笔非零订单' : kind === 'revenue' ? '名有消费的用户' : '名完成的用户',
  };
  return `${missing.version} 有 ${countOf(have)} ${nouns[missing.what]}，需 ${countOf(need)}`;
}

/** The two largest units. */
function durationText(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes === 0) return `${Math.floor(ms / 1000)} 秒`;
  const parts = [
    [Math.floor(minutes / 1440), '天'],
    [Math.floor(minutes / 60) % 24, '小时'],
    [minutes % 60, '分钟'],
  ] as const;
  const first = parts.findIndex(([amount]) => amount > 0);
  const shown = parts.slice(first, first + 2).filter(([amount]) => amount > 0);
  return shown.map(([amount, unit]) => `${amount} ${unit}`).join(' ');
}

/** `低于 1/10,000`, rounded towards the careful side. */
function oddsText(logEvidence: number): string {
  const odds = Math.exp(Math.min(logEvidence, Math.log(1e9))) * (1 + 1e-9);
  const scale = 10 ** Math.floor(Math.log10(Math.max(1, odds)));
  return `低于 1/${countOf(Math.max(1, Math.floor(odds / scale)) * scale)}`;
}
