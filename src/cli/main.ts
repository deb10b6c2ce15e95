#!/usr/bin/env -S node --
// Without `--`, some versions of Node take --env-file for a flag of their own.
import {
  defineBaseCreate,
  defineBaseOutdated,
  defineBaseResolve,
  runBaseCreate,
  runBaseOutdated,
  runBaseResolve,
} from './commands/base.js';
import { defineBuild, runBuild } from './commands/build.js';
import { defineCacheInfo, defineCachePrune, runCacheInfo, runCachePrune } from './commands/cache.js';
import { defineDetect, runDetect } from './commands/detect.js';
import { defineInspect, runInspect } from './commands/inspect.js';
import { defineIndex, runIndex } from './commands/make-index.js';
import { defineRebase, runRebase } from './commands/rebase.js';
import { defineRun, runRun } from './commands/run.js';
import { runCommandLine } from './program.js';

process.exitCode = await runCommandLine(process.argv.slice(2), [
  { name: 'build', define: defineBuild, work: runBuild, isDefault: true },
  { name: 'detect', define: defineDetect, work: runDetect },
  { name: 'rebase', define: defineRebase, work: runRebase },
  { name: 'index', define: defineIndex, work: runIndex },
  { name: 'inspect', define: defineInspect, work: runInspect },
  { name: 'run', define: defineRun, work: runRun, keepsDashes: true },
  { name: 'base create', define: defineBaseCreate, work: runBaseCreate },
  { name: 'base resolve', define: defineBaseResolve, work: runBaseResolve },
  { name: 'base outdated', define: defineBaseOutdated, work: runBaseOutdated },
  { name: 'cache info', define: defineCacheInfo, work: runCacheInfo },
  { name: 'cache prune', define: defineCachePrune, work: runCachePrune },
]);
