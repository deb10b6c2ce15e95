import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ABSENT, ALLOW, DENY, KILL, type Machine, NO_FAMILY, seccompFilter } from '../../../src/sandbox/seccomp.js';

interface Call {
  readonly nr: number;
  readonly arch?: number;
  readonly args?: readonly number[];
}

const ARCHITECTURES = { x64: 0xc000003e, arm64: 0xc00000b7 };
const I386 = 0x40000003;

/** What the kernel would answer: an interpreter of the classic BPF that seccomp(2) allows, over `struct seccomp_data`. */
function answer(filter: Uint8Array, data: Uint8Array): number {
  const program = Buffer.from(filter);
  let accumulator = 0;
  for (let at = 0; at * 8 < program.length; at += 1) {
    const code = program.readUInt16LE(at * 8);
    const [whenTrue, whenFalse] = [program.readUInt8(at * 8 + 2), program.readUInt8(at * 8 + 3)];
    const constant = program.readUInt32LE(at * 8 + 4);
    const jump = (test: boolean) => {
      at += test ? whenTrue : whenFalse;
    };
    if (code === 0x20) accumulator = Buffer.from(data).readUInt32LE(constant);
    else if (code === 0x54) accumulator = (accumulator & constant) >>> 0;
    else if (code === 0x15) jump(accumulator === constant);
    else if (code === 0x35) jump(accumulator >= constant);
    else if (code === 0x45) jump((accumulator & constant) !== 0);
    else if (code === 0x06) return constant;
    else throw new Error(`instruction ${at} is ${code}`);
  }
  throw new Error('the filter ends without an answer');
}

function dataOf({ nr, arch, args = [] }: Call, machine: Machine): Uint8Array {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(nr >>> 0, 0);
  data.writeUInt32LE(arch ?? ARCHITECTURES[machine], 4);
  for (const [at, value] of args.entries()) data.writeBigUInt64LE(BigInt(value), 16 + 8 * at);
  return data;
}

function ask(machine: Machine, call: Call): number {
  return answer(seccompFilter(machine) as Uint8Array, dataOf(call, machine));
}

describe.each(['x64', 'arm64'] as const)('seccompFilter on %s', (machine) => {
  const by = (x64: number, arm64: number) => (machine === 'x64' ? x64 : arm64);

  it.each([
    ['ptrace', by(101, 117)],
    ['process_vm_readv', by(310, 270)],
    ['keyctl', by(250, 219)],
    ['bpf', by(321, 280)],
    ['userfaultfd', by(323, 282)],
    ['io_uring_setup', 425],
    ['mount', by(165, 40)],
    ['fsopen', 430],
    ['setns', by(308, 268)],
    ['open_by_handle_at', by(304, 265)],
    ['perf_event_open', by(298, 241)],
  ])('SBX-2 denies %s', (_, nr) => {
    expect(ask(machine, { nr })).toBe(DENY);
  });

  it('SBX-2 says of clone3 that there is no such call', () => {
    expect(ask(machine, { nr: 435 })).toBe(ABSENT);
  });

  it.each([0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000])(
    'SBX-2 denies clone and unshare with the namespace flag %d',
    (flag) => {
      expect(ask(machine, { nr: by(56, 220), args: [flag | 17] })).toBe(DENY);
      expect(ask(machine, { nr: by(272, 97), args: [flag] })).toBe(DENY);
    },
  );

  it('lets threads and processes be made, and file tables be unshared', () => {
    expect(ask(machine, { nr: by(56, 220), args: [0x3d0f00] })).toBe(ALLOW);
    expect(ask(machine, { nr: by(56, 220), args: [17] })).toBe(ALLOW);
    expect(ask(machine, { nr: by(272, 97), args: [0x400] })).toBe(ALLOW);
  });

  it('SBX-6 denies putting characters into a terminal, whatever the upper half of the request says', () => {
    for (const request of [0x5412, 0x541c, 2 ** 32 + 0x5412])
      expect(ask(machine, { nr: by(16, 29), args: [0, request] })).toBe(DENY);
    expect(ask(machine, { nr: by(16, 29), args: [0, 0x5413] })).toBe(ALLOW);
  });

  it('SBX-2 has sockets of the usual families only', () => {
    for (const family of [1, 2, 10, 16]) expect(ask(machine, { nr: by(41, 198), args: [family] })).toBe(ALLOW);
    for (const family of [17, 38, 40, 44]) expect(ask(machine, { nr: by(41, 198), args: [family] })).toBe(NO_FAMILY);
  });

  it('SBX-2 lets pipes be made, and no device', () => {
    const node = (mode: number) => ask(machine, { nr: by(259, 33), args: [0, 0, mode] });
    expect([node(0o010644), node(0o100644), node(0o644)]).toEqual([ALLOW, ALLOW, ALLOW]);
    expect([node(0o020644), node(0o060644)]).toEqual([DENY, DENY]);
  });

  it('kills a program of another architecture, whatever it asks for', () => {
    fc.assert(
      fc.property(fc.nat(500), fc.constantFrom(I386, 0x40000028, 0, by(0xc00000b7, 0xc000003e)), (nr, arch) => {
        expect(ask(machine, { nr, arch })).toBe(KILL);
      }),
    );
  });

  it('gives one of its five answers to any call', () => {
    const call = fc.record({
      nr: fc.nat(0xffffffff),
      args: fc.array(fc.nat(0xffffffff), { minLength: 6, maxLength: 6 }),
    });
    fc.assert(
      fc.property(call, ({ nr, args }) => {
        expect([ALLOW, DENY, ABSENT, NO_FAMILY, KILL]).toContain(ask(machine, { nr, args }));
      }),
    );
  });
});

describe('seccompFilter', () => {
  it('kills programs of the x32 interface, by which all rules could be gone around', () => {
    expect(ask('x64', { nr: 0x40000000 + 101 })).toBe(KILL);
    expect(ask('x64', { nr: 0xffffffff })).toBe(ABSENT);
  });

  it('has nothing for a machine whose numbers it does not know', () => {
    expect(seccompFilter('s390x')).toBeUndefined();
  });
});
