// Sets of client addresses from CIDRs. Text is read by node:net, which does not take 010.1.1.1 for an octal number.
import { BlockList, isIP } from 'node:net';
import type { IpSet } from '../rollout/rule.ts';
import { accepted, refused, type Reading } from './reading.ts';

export type Cidr = { readonly address: string; readonly prefix: number; readonly family: 'ipv4' | 'ipv6' };

const cidrHint = 'write an address or a range, such as 10.8.0.0/16, 192.0.2.7 or 2001:db8::/32';

/** Answers a set remembers; when there are more it starts anew, so that a scan of addresses cannot fill the memory. */
const rememberedAnswers = 8_192;

/** `10.8.0.0/16`, or one address. Bits below the prefix do not matter. IPv4 in IPv6 (`::ffff:10.0.0.0/104`) becomes IPv4. */
export function parseCidr(written: unknown): Reading<Cidr> {
  const [text = '', bits, ...rest] = String(written).split('/');
  const version = text.includes('%') ? 0 : isIP(text);
  if (version === 0 || rest.length > 0) return refused('is not an IP address or range', cidrHint);
  const width = version === 4 ? 32 : 128;
  if (bits !== undefined && !/^(0|[1-9]\d{0,2})$/.test(bits))
    return refused('has a prefix that is not a number', cidrHint);
  const prefix = bits === undefined ? width : Number(bits);
  if (prefix > width) return refused(`has a prefix above ${width}`, cidrHint);
  const mapped = version === 6 && prefix >= 96 ? mappedIPv4(text) : null;
  if (mapped !== null) return accepted({ address: mapped, prefix: prefix - 96, family: 'ipv4' });
  return accepted({ address: text, prefix, family: version === 4 ? 'ipv4' : 'ipv6' });
}

/** A set of addresses; what is not an address is in none. `has` is a look-up in a map for an address that was asked for lately. */
export class CidrSet implements IpSet {
  /** Every IPv4 and every IPv6 address is in it. */
  readonly holdsEveryAddress: boolean;
  // One list a family: in a single one ::/0 would hold every IPv4 address too.
  readonly #ranges = { ipv4: new BlockList(), ipv6: new BlockList() };
  readonly #answers = new Map<string, boolean>();

  constructor(cidrs: readonly Cidr[]) {
    for (const { address, prefix, family } of cidrs) this.#ranges[family].addSubnet(address, prefix, family);
    const whole = new Set(cidrs.filter(({ prefix }) => prefix === 0).map(({ family }) => family));
    this.holdsEveryAddress = whole.size === 2;
  }

  has(ip: string): boolean {
    const known = this.#answers.get(ip);
    if (known !== undefined) return known;
    const answer = this.#find(ip);
    if (this.#answers.size >= rememberedAnswers) this.#answers.clear();
    this.#answers.set(ip, answer);
    return answer;
  }

  #find(ip: string): boolean {
    const version = isIP(ip);
    if (version === 0) return false;
    if (version === 4) return this.#ranges.ipv4.check(ip, 'ipv4');
    const address = ip.replace(/%.*$/, '');
    const mapped = mappedIPv4(address);
    return mapped === null ? this.#ranges.ipv6.check(address, 'ipv6') : this.#ranges.ipv4.check(mapped, 'ipv4');
  }
}

/** The IPv4 address in `::ffff:a.b.c.d`, however it is spelled; null for any other IPv6 address. */
function mappedIPv4(address: string): string | null {
  const canonical = URL.parse(`http://[${address}]`)?.hostname ?? '';
  const match = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(canonical);
  if (match === null) return null;
  const [high, low] = [Number.parseInt(match[1]!, 16), Number.parseInt(match[2]!, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
