/**
 * A filter for system calls, as the kernel takes it (seccomp(2)): classic BPF over `struct seccomp_data`, one machine's
 * numbers. What a build needs is allowed; what only serves to attack the kernel, or to see other processes, fails as if
 * it were not permitted.
 */
export type Machine = 'x64' | 'arm64';

/** The answers of a filter, as seccomp(2) has them. */
export const ALLOW = 0x7fff0000;
export const KILL = 0x80000000;
const ERRNO = 0x00050000;
const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

/** Answers that make the call fail. */
export const DENY = ERRNO | EPERM;
export const ABSENT = ERRNO | ENOSYS;
export const NO_FAMILY = ERRNO | EAFNOSUPPORT;

const LOAD = 0x20;
const AND = 0x54;
const EQUAL = 0x15;
const AT_LEAST = 0x35;
const ANY_BIT = 0x45;
const RETURN = 0x06;

/** Offsets in `struct seccomp_data`. Arguments have 64 bits, the low half first on both machines. */
const NUMBER = 0;
const ARCHITECTURE = 4;
const argument = (index: number) => 16 + 8 * index;

/** One instruction: what to do, how far to jump when true and when false, and a constant. */
type Instruction = readonly [code: number, whenTrue: number, whenFalse: number, constant: number];

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const NAMESPACES = 0x7e020000;
const NEW_TIME = 0x80;
const FILE_TYPE = 0o170000;
const CHARACTER_DEVICE = 0o020000;
const BLOCK_DEVICE = 0o060000;
/** They put characters into a terminal's input, to be read by the user's shell (CVE-2017-5226). */
const TERMINAL_INPUT = [0x5412, 0x541c];
/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: the last is how programs list network interfaces. */
const FAMILIES = [1, 2, 10, 16];

/** Numbers that are the same on all machines since Linux 5.1. */
const RECENT = [425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 442, 443, 467];
const CLONE3 = 435;

interface Calls {
  readonly architecture: number;
  /** From here on are the numbers of a second interface (x32), with which all rules could be gone around. */
  readonly foreignFrom: number | undefined;
  readonly denied: readonly number[];
  readonly clone: number;
  readonly unshare: number;
  readonly ioctl: number;
  readonly socket: number;
  /** Calls that make devices, with the place of the mode among their arguments. */
  readonly mknod: readonly (readonly [call: number, mode: number])[];
}

/**
 * Denied: seeing and steering processes (ptrace, process_vm_*, kcmp, pidfd_getfd), keys (add_key, request_key, keyctl),
 * kernel interfaces with a record of holes (bpf, perf_event_open, userfaultfd, io_uring), mounts by either interface,
 * namespaces, modules, kexec, the clock, swap, quotas, accounting, the kernel's log, files by handle, fanotify.
 */
const CALLS: Readonly<Record<Machine, Calls>> = {
  x64: {
    architecture: 0xc000003e,
    foreignFrom: 0x40000000,
    denied: [
      ...[101, 310, 311, 312, 248, 249, 250, 321, 298, 323, 165, 166, 155, 308, 175, 313, 176, 246, 320, 169],
      ...[167, 168, 163, 179, 164, 227, 305, 103, 172, 173, 212, 180, 134, 153, 139, 156, 304, 300, 154, 256, 279],
    ],
    clone: 56,
    unshare: 272,
    ioctl: 16,
    socket: 41,
    mknod: [
      [133, 1],
      [259, 2],
    ],
  },
  arm64: {
    architecture: 0xc00000b7,
    foreignFrom: undefined,
    denied: [
      ...[117, 270, 271, 272, 217, 218, 219, 280, 241, 282, 40, 39, 41, 268, 105, 273, 106, 104, 294, 142],
      ...[224, 225, 89, 60, 170, 112, 266, 116, 18, 42, 58, 265, 262, 238, 239],
    ],
    clone: 220,
    unshare: 97,
    ioctl: 29,
    socket: 198,
    mknod: [[33, 2]],
  },
};

/** The filter for a machine, in the bytes that the kernel and `bwrap --seccomp` take. Absent for machines we do not know. */
export function seccompFilter(machine: string): Uint8Array | undefined {
  if (machine !== 'x64' && machine !== 'arm64') return undefined;
  return encode(program(CALLS[machine]));
}

function program(calls: Calls): readonly Instruction[] {
  return [
    [LOAD, 0, 0, ARCHITECTURE],
    [EQUAL, 1, 0, calls.architecture],
    [RETURN, 0, 0, KILL],
    [LOAD, 0, 0, NUMBER],
    ...(calls.foreignFrom === undefined ? [] : foreign(calls.foreignFrom)),
    ...[...calls.denied, ...RECENT].flatMap((call) => whenCall(call, [[RETURN, 0, 0, DENY]])),
    // A filter cannot look at what clone3 is asked for, which lies in memory. C libraries fall back to clone.
    ...whenCall(CLONE3, [[RETURN, 0, 0, ABSENT]]),
    ...whenCall(calls.clone, anyBit(0, NAMESPACES)),
    ...whenCall(calls.unshare, anyBit(0, NAMESPACES | NEW_TIME)),
    ...whenCall(calls.ioctl, oneOf(1, TERMINAL_INPUT)),
    ...whenCall(calls.socket, noneOf(0, FAMILIES)),
    // The kernel lets anybody make the device 0:0, which overlays read as a deletion. Pipes are made by the same call.
    ...calls.mknod.flatMap(([call, mode]) => whenCall(call, device(mode))),
    [RETURN, 0, 0, ALLOW],
  ];
}

/** All ones is no call, and programs ask for it to see an error. */
function foreign(from: number): readonly Instruction[] {
  return [
    [AT_LEAST, 0, 3, from],
    [EQUAL, 0, 1, 0xffffffff],
    [RETURN, 0, 0, ABSENT],
    [RETURN, 0, 0, KILL],
  ];
}

/** Runs `body`, which ends with an answer, for this call only. */
function whenCall(call: number, body: readonly Instruction[]): readonly Instruction[] {
  return [[EQUAL, 0, body.length, call], ...body];
}

function anyBit(index: number, bits: number): readonly Instruction[] {
  return [
    [LOAD, 0, 0, argument(index)],
    [ANY_BIT, 0, 1, bits],
    [RETURN, 0, 0, DENY],
    [RETURN, 0, 0, ALLOW],
  ];
}

function oneOf(index: number, values: readonly number[]): readonly Instruction[] {
  return [[LOAD, 0, 0, argument(index)], ...denyIfOneOf(values)];
}

function device(mode: number): readonly Instruction[] {
  return [[LOAD, 0, 0, argument(mode)], [AND, 0, 0, FILE_TYPE], ...denyIfOneOf([CHARACTER_DEVICE, BLOCK_DEVICE])];
}

function denyIfOneOf(values: readonly number[]): readonly Instruction[] {
  return [...jumpBehindNext(values), [RETURN, 0, 0, ALLOW], [RETURN, 0, 0, DENY]];
}

function noneOf(index: number, values: readonly number[]): readonly Instruction[] {
  return [[LOAD, 0, 0, argument(index)], ...jumpBehindNext(values), [RETURN, 0, 0, NO_FAMILY], [RETURN, 0, 0, ALLOW]];
}

/** Jumps over the instruction that follows these when one of the values is met. */
function jumpBehindNext(values: readonly number[]): readonly Instruction[] {
  return values.map((value, at) => [EQUAL, values.length - at, 0, value]);
}

function encode(instructions: readonly Instruction[]): Uint8Array {
  const bytes = Buffer.alloc(instructions.length * 8);
  for (const [at, [code, whenTrue, whenFalse, constant]] of instructions.entries()) {
    bytes.writeUInt16LE(code, at * 8);
    bytes.writeUInt8(whenTrue, at * 8 + 2);
    bytes.writeUInt8(whenFalse, at * 8 + 3);
    bytes.writeUInt32LE(constant >>> 0, at * 8 + 4);
  }
  return bytes;
}
