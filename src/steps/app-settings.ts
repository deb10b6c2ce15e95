import { readSourceFile } from '../buildpack/read-file.js';
import { appJsonEnv } from '../settings/app-json.js';
import { PROJECT_FILE, type ProjectSettings, parseProjectFile } from '../settings/project-file.js';

/**
 * What an app settles for its own builds: its `pack-build.toml`, with the defaults for config vars of its `app.json` below
 * those of the former. `directory` is absolute. Throws `CONFIG_INVALID`, `SOURCE_INVALID`.
 */
export async function appSettings(directory: string): Promise<ProjectSettings> {
  const [project, appJson] = [
    await readSourceFile(directory, PROJECT_FILE),
    await readSourceFile(directory, 'app.json'),
  ];
  const settings = project === undefined ? {} : parseProjectFile(project, directory);
  const defaults = appJson === undefined ? {} : appJsonEnv(appJson);
  return { ...settings, env: { ...defaults, ...settings.env } };
}
