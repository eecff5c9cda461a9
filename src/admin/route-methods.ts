// Which methods a path takes, so that another method is told apart from another path (RFC 9110, 15.5.6).

export class RouteMethods {
  readonly #routes: { readonly segments: readonly string[]; readonly methods: readonly string[] }[] = [];

  /** `url` may have parameters: `/rollouts/:name`. */
  add(url: string, method: string | readonly string[]): void {
    this.#routes.push({ segments: url.split('/'), methods: typeof method === 'string' ? [method] : method });
  }

  /** The methods of every route that a path fits; none: there is no such path. */
  of(target: string): string[] {
    const segments = (target.split('?', 1)[0] ?? '').split('/');
    const fitting = this.#routes.filter(
      (route) =>
        route.segments.length === segments.length &&
        route.segments.every((part, i) => (part.startsWith(':') ? segments[i] !== '' : part === segments[i])),
    );
    return [...new Set(fitting.flatMap(({ methods }) => methods))].toSorted();
  }
}
