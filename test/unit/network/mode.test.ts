import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hostsOfUrls, proxiesOf } from '../../../src/network/endpoint.js';
import { isAllowed, parseNetworkMode } from '../../../src/network/mode.js';
import { collectReached, queriedName } from '../../../src/network/reached.js';

describe('parseNetworkMode', () => {
  it.each(['none', 'egress', 'host', 'allow=a.example', 'allow=*.a.example,b.example:8443'])('knows %s', (text) => {
    expect(parseNetworkMode(text)).toBe(text);
  });

  it.each(['', 'on', 'allow=', 'allow=a,,b', 'allow=*', 'allow=http://a/', 'allow=a:port', 'allow=a b'])(
    'refuses %j',
    (text) => {
      expect(parseNetworkMode(text)).toBeUndefined();
    },
  );
});

describe('isAllowed', () => {
  it('SBX-8 has named hosts on the usual ports, and another where it is named', () => {
    const ask = (host: string, port: number) => isAllowed(['a.example', '*.b.example', 'c.example:22'], host, port);
    expect([ask('A.example.', 443), ask('a.example', 80), ask('x.b.example', 443), ask('c.example', 22)]).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect([
      ask('a.example', 22),
      ask('x.a.example', 443),
      ask('b.example', 443),
      ask('evilb.example', 443),
      ask('c.example', 443),
    ]).toEqual([false, false, false, false, false]);
  });
});

describe('proxiesOf', () => {
  it('has host and port of each proxy that the environment names, with a scheme or without', () => {
    expect(
      proxiesOf({ https_proxy: 'http://user:pw@10.0.0.1:3128/', HTTP_PROXY: 'proxy.corp:8080', all_proxy: '' }),
    ).toEqual(['10.0.0.1:3128', 'proxy.corp:8080']);
  });

  it('takes usual ports of URLs, and nothing of other texts', () => {
    expect(hostsOfUrls(['https://mirror.corp/npm', 'http://m:81/', 'word', '/path', undefined])).toEqual([
      'mirror.corp:443',
      'm:81',
    ]);
  });
});

describe('queriedName', () => {
  const query = (labels: readonly string[]) =>
    Buffer.concat([
      Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
      ...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
      Buffer.from([0, 0, 1, 0, 1]),
    ]);

  it('reads the name of a query', () => {
    expect(queriedName(query(['Deb', 'example']))).toBe('deb.example');
  });

  it('SBX-8 reads any bytes without harm, and prints nothing but names', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(queriedName(bytes) ?? '').toMatch(/^[\w*.-]*$/);
      }),
    );
  });
});

describe('collectReached', () => {
  it('tells of each once, and of a thousand at most', () => {
    let told = 0;
    const reached = collectReached(() => {
      told += 1;
    });
    for (let at = 0; at < 3000; at += 1) reached.add({ host: `h${at % 2000}`, outcome: 'named' });
    expect([told, reached.all().length]).toEqual([1000, 1000]);
  });
});
