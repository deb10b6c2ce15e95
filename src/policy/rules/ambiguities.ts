import type { Image } from '../../oci/image.js';
import type { Violation } from '../violation.js';

const KNOWN = new Map(
  [
    ['created', 'os', 'architecture', 'variant', 'config', 'rootfs', 'history'],
    [
      'User',
      'Env',
      'Entrypoint',
      'Cmd',
      'WorkingDir',
      'StopSignal',
      'Labels',
      'ExposedPorts',
      'Volumes',
      'Healthcheck',
    ],
  ]
    .flat()
    .map((name) => [name.toLowerCase(), name]),
);

/** Readers in Go take `user` for `User`: a config that has it in another case means two things to two readers. */
export function ambiguities({ config }: Image): readonly Violation[] {
  const names = [...Object.keys(config.value), ...Object.keys(config.value.config ?? {})];
  return names.flatMap((name) => {
    const meant = KNOWN.get(name.toLowerCase());
    if (meant === undefined || meant === name) return [];
    return [
      {
        code: 'RST_AMBIGUOUS' as const,
        got: name,
        limit: meant,
        hint: 'write the config anew with each name as the image-spec has it',
      },
    ];
  });
}
