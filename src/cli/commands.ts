import { defineBaseCreate, defineBaseOutdated, defineBaseResolve } from './flags/base.js';
import { defineBuild } from './flags/build.js';
import { defineCacheInfo, defineCachePrune } from './flags/cache.js';
import { defineCheck } from './flags/check.js';
import { defineDetect } from './flags/detect.js';
import { defineDoctor } from './flags/doctor.js';
import { defineInspect } from './flags/inspect.js';
import { defineIndex } from './flags/make-index.js';
import { defineRebase } from './flags/rebase.js';
import { defineRun } from './flags/run.js';
import { runCommandLine } from './program.js';

/** Runs the command line and gives its exit status. */
export const runCommands = (argv: readonly string[]) =>
  runCommandLine(argv, [
    {
      name: 'build',
      define: defineBuild,
      work: async () => (await import('./commands/build.js')).runBuild,
      isDefault: true,
    },
    { name: 'detect', define: defineDetect, work: async () => (await import('./commands/detect.js')).runDetect },
    { name: 'rebase', define: defineRebase, work: async () => (await import('./commands/rebase.js')).runRebase },
    { name: 'index', define: defineIndex, work: async () => (await import('./commands/make-index.js')).runIndex },
    { name: 'inspect', define: defineInspect, work: async () => (await import('./commands/inspect.js')).runInspect },
    { name: 'check', define: defineCheck, work: async () => (await import('./commands/check.js')).runCheck },
    { name: 'run', define: defineRun, work: async () => (await import('./commands/run.js')).runRun, keepsDashes: true },
    {
      name: 'base create',
      define: defineBaseCreate,
      work: async () => (await import('./commands/base.js')).runBaseCreate,
    },
    {
      name: 'base resolve',
      define: defineBaseResolve,
      work: async () => (await import('./commands/base.js')).runBaseResolve,
    },
    {
      name: 'base outdated',
      define: defineBaseOutdated,
      work: async () => (await import('./commands/base.js')).runBaseOutdated,
    },
    {
      name: 'cache info',
      define: defineCacheInfo,
      work: async () => (await import('./commands/cache.js')).runCacheInfo,
    },
    {
      name: 'cache prune',
      define: defineCachePrune,
      work: async () => (await import('./commands/cache.js')).runCachePrune,
    },
    { name: 'doctor', define: defineDoctor, work: async () => (await import('./commands/doctor.js')).runDoctor },
  ]);
