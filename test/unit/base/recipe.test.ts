import { describe, expect, it } from '@jest/globals';
import { recipeKey } from '../../../src/base/recipe.js';
import { suiteNamed } from '../../../src/base/suites.js';

const recipe = { suite: suiteNamed('debian-12'), security: true, include: [] };

describe('recipeKey', () => {
  it('is the same for the same recipe, and fit for a file name', () => {
    expect(recipeKey(recipe)).toBe(recipeKey({ ...recipe }));
    expect(recipeKey(recipe)).toMatch(/^[0-9a-f]{12}$/);
  });

  it('is another for each thing that makes another base', () => {
    const others = [
      recipe,
      { ...recipe, suite: suiteNamed('debian-13') },
      { ...recipe, security: false },
      { ...recipe, include: ['imagemagick'] },
    ];
    expect(new Set(others.map(recipeKey)).size).toBe(others.length);
  });
});
