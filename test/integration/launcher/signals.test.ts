import { describe, expect, it } from '@jest/globals';
import { type Container, type Running, run, start } from './image.js';

/** Runs a container, signals it once it has printed `ready`, and waits for its end. */
async function stop(container: Container, signal: NodeJS.Signals) {
  const running = await start(container);
  await running.printed('ready');
  running.signal(signal);
  return running.outcome;
}

/** Does it until the container prints the text so many times: like pending signals, two that come together can be one. */
async function repeat(running: Running, act: () => void, text: string, times = 1): Promise<void> {
  for (let answer = 1; answer <= times; answer++) {
    act();
    const timer = setInterval(act, 200);
    await running.printed(text, answer).finally(() => clearInterval(timer));
  }
}

const web = (command: string, app = {}): Container => ({ processes: { web: command }, args: ['web'], app });
const loop = 'while :; do sleep 0.02; done';

describe('launcher as PID 1', () => {
  it('R108 stays PID 1 and runs the command as its child', async () => {
    const outcome = await run(web('echo $PPID; cat /proc/1/cmdline'));
    expect(outcome.stdout).toBe('1\n/bin/bash\0-p\0/pack-build/launcher\0web\0');
  });

  it('R108 exits with the status of the command', async () => {
    expect(await run(web('exit 0'))).toMatchObject({ code: 0 });
    expect(await run(web('exit 42'))).toMatchObject({ code: 42 });
    expect(await run(web('(exit 1) && true'))).toMatchObject({ code: 1 });
  });

  it('R108 exits with 128 + n, silently, when signal n kills the command', async () => {
    expect(await run(web('kill -KILL $$'))).toEqual({ code: 137, stdout: '', stderr: '' });
    expect(await run(web('kill -SEGV $$'))).toMatchObject({ code: 139 });
    expect(await run(web('kill -TERM $$'))).toMatchObject({ code: 143 });
  });

  it('R108 stops a command without a handler on TERM, with status 143', async () => {
    expect(await stop(web('echo ready; exec sleep 60'), 'SIGTERM')).toMatchObject({ code: 143 });
    expect(await stop({ args: ['sh', '-c', 'echo ready; sleep 60; true'] }, 'SIGTERM')).toMatchObject({ code: 143 });
  });

  it('R108 stops while profile scripts still run', async () => {
    const outcome = await stop(
      web('echo no', { '.profile.d/a.sh': 'echo ready; sleep 60', '.profile': 'echo no' }),
      'SIGTERM',
    );
    expect(outcome).toMatchObject({ code: 143, stdout: 'ready\n' });
  });

  it('R107 exits with the status that the command chooses on TERM', async () => {
    const outcome = await stop(web(`trap 'echo bye; exit 5' TERM; echo ready; ${loop}`), 'SIGTERM');
    expect(outcome).toMatchObject({ code: 5, stdout: 'ready\nbye\n' });
  });

  it('R107 sends TERM to every process, also to grandchildren in other sessions', async () => {
    const app = {
      'deep.sh': `trap 'echo deep got TERM; exit' TERM; echo deep is up; ${loop}`,
      'apart.sh': `trap 'echo apart got TERM; exit' TERM; echo apart is up; ${loop}`,
      '.profile.d/apart.sh': 'setsid bash apart.sh &',
    };
    const running = await start(web('bash -c "bash deep.sh; true" & wait', app));
    await running.printed('deep is up');
    await running.printed('apart is up');
    running.signal('SIGTERM');
    const { code, stdout } = await running.outcome;
    expect(stdout).toContain('deep got TERM\n');
    expect(stdout).toContain('apart got TERM\n');
    expect(code).toBe(143);
  });

  it('R107 lets a server finish whose shell has died of TERM', async () => {
    const app = { 'server.sh': `trap 'sleep 0.3; echo finished; exit' TERM; echo ready; ${loop}` };
    const outcome = await stop(web('cd /app && bash server.sh; echo no', app), 'SIGTERM');
    expect(outcome).toMatchObject({ code: 143, stdout: 'ready\nfinished\n' });
  });

  it('R107 sends TERM each time it is asked to', async () => {
    const running = await start(web(`trap 'echo got; (( ++n == 3 )) && exit 3' TERM; echo ready; ${loop}`));
    await running.printed('ready');
    await repeat(running, () => running.signal('SIGTERM'), 'got', 3);
    expect(await running.outcome).toMatchObject({ code: 3, stdout: 'ready\ngot\ngot\ngot\n' });
  });

  it('R107 waits for a command that ignores TERM', async () => {
    const app = { 'watch.sh': `trap 'echo got; exit' TERM; echo ready; ${loop}` };
    const command = `trap '' TERM; bash -c 'trap - TERM; true'; env --default-signal=TERM bash watch.sh; sleep 0.2; echo done; exit 4`;
    const outcome = await stop(web(command, app), 'SIGTERM');
    expect(outcome).toMatchObject({ code: 4, stdout: 'ready\ngot\ndone\n' });
  });

  it('forwards INT to every process when there is no terminal', async () => {
    expect(await stop(web('echo ready; sleep 60; echo no'), 'SIGINT')).toMatchObject({ code: 130, stdout: 'ready\n' });
  });

  it('forwards HUP, QUIT, USR1, USR2 and WINCH to the command alone', async () => {
    for (const signal of ['HUP', 'QUIT', 'USR1', 'USR2', 'WINCH'] as const) {
      const app = { 'worker.sh': `trap 'echo no' ${signal}; echo ready; ${loop}` };
      const command = `trap 'echo got; exit 7' ${signal}; bash worker.sh & ${loop}`;
      expect(await stop(web(command, app), `SIG${signal}`)).toMatchObject({ code: 7, stdout: 'ready\ngot\n' });
    }
  });

  it('goes on waiting after signals that the command survives', async () => {
    const running = await start(web(`trap 'echo got' HUP; trap 'exit 8' USR1; echo ready; ${loop}`));
    await running.printed('ready');
    await repeat(running, () => running.signal('SIGHUP'), 'got', 3);
    running.signal('SIGUSR1');
    expect(await running.outcome).toMatchObject({ code: 8 });
  });

  it('R108 reaps orphans', async () => {
    const app = {
      'count.sh': [
        'for i in {1..30}; do (sleep 0.01 & exec sleep 0) & done; wait',
        'for i in {1..500}; do',
        '  states=$(cat /proc/[0-9]*/stat 2>/dev/null)',
        '  grep -qE "^[0-9]+ \\(sleep\\)" <<<"$states" || break; sleep 0.01',
        'done',
        'grep -cE "\\) Z 1 " <<<"$states"; echo after $i',
      ].join('\n'),
    };
    const outcome = await run(web('bash count.sh; true', app));
    expect(outcome.stdout).toMatch(/^0\nafter ([1-9]|[1-4]?[0-9][0-9])\n$/);
  });

  it('ends the container when the command ends, whatever it has left behind', async () => {
    const outcome = await run(web('setsid sleep 60 & exit 3'));
    expect(outcome).toMatchObject({ code: 3 });
  });

  it('leaves no signal ignored or blocked', async () => {
    const outcome = await run({ args: ['grep', '-E', 'Sig(Ign|Blk)', '/proc/self/status'] });
    expect(outcome.stdout).toBe('SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n');
  });

  it('hands standard input on', async () => {
    expect(await run({ args: ['cat'], stdin: 'one\ntwo' })).toMatchObject({ code: 0, stdout: 'one\ntwo' });
    const app = { '.profile': 'read -r first; echo profile $first' };
    expect(await run({ args: ['cat'], app, stdin: 'one\ntwo\n' })).toMatchObject({ stdout: 'profile one\ntwo\n' });
  });
});

describe('launcher below another init', () => {
  it('R108 becomes the command', async () => {
    const outcome = await run({ ...web('echo $$ $PPID; exit 9'), pid1: false });
    expect(outcome).toEqual({ code: 9, stdout: '2 1\n', stderr: '' });
  });

  it('R99 sources the profile all the same', async () => {
    const outcome = await run({ ...web('echo $DYNO', { '.profile': 'echo profile $$' }), pid1: false });
    expect(outcome.stdout).toBe('profile 2\nweb.1\n');
  });
});

describe('launcher with a terminal', () => {
  it('gives an interactive shell job control', async () => {
    const running = await start({ args: ['bash', '--rcfile', 'rc'], app: { rc: "PS1='% '" }, terminal: true });
    for (const [prompt, keys] of ['set -o | grep monitor', 'sleep 60'].entries()) {
      await running.printed('% ', prompt + 1);
      running.type(`${keys}\n`);
    }
    await running.printed('sleep 60\r\n');
    await repeat(running, () => running.type('\x1a'), 'Stopped');
    running.type('exit 6\n');
    await running.printed('There are stopped jobs');
    running.type('exit 6\n');
    const { code, stdout } = await running.outcome;
    expect(stdout).toMatch(/monitor\s+on/);
    expect(stdout).not.toMatch(/no job control/);
    expect(code).toBe(6);
  });

  it('leaves Ctrl-C to the terminal, so that the command gets it once', async () => {
    // A child of the loop would get the Ctrl-C too, and bash may end a loop whose child dies of it, whatever its own trap says.
    const alone = 'exec {clock}<> <(:); echo ready; while :; do read -rt 0.02 -u "$clock"; done';
    const command = `trap 'echo got $((++n))' INT; trap 'exit 7' USR1; ${alone}`;
    const running = await start({ ...web(command), terminal: true });
    await running.printed('ready');
    running.type('\x03');
    await running.printed('got 1');
    running.signal('SIGUSR1');
    const { code, stdout } = await running.outcome;
    expect(stdout).not.toContain('got 2');
    expect(code).toBe(7);
  });
});
