// Who started the demo: npm and its like start a shell, which starts the demo, and pass a signal on to the shell only. When one of
// them has gone, nobody is left who could stop the demo.
import { readFile } from 'node:fs/promises';

const lookEveryMs = 250;
const shells = new Set(['sh', 'ash', 'bash', 'dash', 'ksh', 'zsh']);

/**
 * Calls `gone` once when a package manager that runs this process in a script of its own has ended, or the shell between them has.
 * Whoever else starts a program may leave it running: then nothing is watched. Keeps no process alive.
 */
export async function onStarterGone(env: NodeJS.ProcessEnv, gone: () => void): Promise<void> {
  if (env['npm_lifecycle_event'] === undefined) return;
  const first = await starters();
  const look = async (): Promise<void> => {
    if ((await starters()) === first) return;
    clearInterval(timer);
    gone();
  };
  const timer = setInterval(() => void look(), lookEveryMs);
  timer.unref();
}

/** The parent's process id, and above a shell also that of the shell's parent, where the system says so (`/proc`). */
async function starters(): Promise<string> {
  const parent = process.ppid;
  const status = await readFile(`/proc/${parent}/stat`, 'latin1').catch(() => '');
  const [, name = '', above = ''] = /\((.*)\) \S (\d+)/s.exec(status) ?? [];
  return shells.has(name) ? `${parent} ${above}` : String(parent);
}
