// The thread of the experiments: owns their file, so that events by the thousand delay neither decisions nor figures.

import { workerData } from 'node:worker_threads';
import { experimentFile } from './experiment-file.ts';
import { experimentVerbs } from './experiment-verbs.ts';
import { type AnyVerbs, serveParts } from './serve-parts.ts';
import { WorkerPart } from './worker-part.ts';
import type { WorkerSettings } from './worker-verbs.ts';

const settings: WorkerSettings = workerData;

serveParts({ experiments: new WorkerPart<AnyVerbs>(experimentFile(settings), experimentVerbs) }, settings.path);
