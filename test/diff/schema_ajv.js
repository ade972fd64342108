// Random schemas and documents with ajv's verdicts, one JSON object per line:
//   {"schema": ..., "documents": [...], "valid": [...]}
// usage: node schema_ajv.js SEED COUNT      (packages from build/npm)
'use strict';
const path = require('path');
const modules = path.join(__dirname, '../../build/npm/node_modules');
const Ajv = require(path.join(modules, 'ajv/dist/2020')).default;

let seed = Number(process.argv[2]) >>> 0;
function below(n) { // mulberry32
  seed = (seed + 0x6d2b79f5) >>> 0;
  let t = seed;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) % n;
}
const pick = (list) => list[below(list.length)];
// no empty name: ajv takes it for "nothing is missing"
const names = ['a', 'b', 'c', 'ab', 'x/y', 'm~n', ' ', 'длина', '__q'];
const strings = ['', 'a', 'ab', 'abc', 'xyz', 'длина', '😀', 'a\nb', '5', 'null', 'A_1'];
const numbers = [0, 1, -1, 2, 3, 1.5, 2.25, -0.5, 10, 9007199254740991, 1e18, -7, 0.125, 100];
const patterns = ['^a', 'b$', '^[a-c]+$', '\\d', '^\\w*$', '^.{2,3}$', 'a|x', '^$', '[^a]', '(a)(b)\\2?',
  '^\\p{L}+$', '\\s', '^(?!a)', '\\u0430|\\u{1F600}'];
const types = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'];

function scalar() {
  return pick([() => pick(strings), () => pick(numbers), () => null, () => below(2) === 1])();
}
function value(depth) {
  const kind = below(depth > 0 ? 10 : 6);
  if (kind < 6) return scalar();
  if (kind < 8) return Array.from({length: below(12) < 10 ? below(4) : 12}, () => value(depth - 1));
  const object = {};
  for (let i = below(5); i > 0; i--) object[pick(names)] = value(depth - 1);
  return object;
}
const count = () => below(4);
function map(depth, keys) {
  const object = {};
  for (let i = below(3) + 1; i > 0; i--) object[pick(keys)] = schema(depth - 1);
  return object;
}
const list = (depth) => Array.from({length: below(3) + 1}, () => schema(depth - 1));
const keywords = {
  type: () => (below(3) ? pick(types) : Array.from(new Set([pick(types), pick(types)]))),
  enum: () => Array.from({length: below(3) + 1}, () => value(1)),
  const: () => value(2),
  multipleOf: () => pick([1, 2, 4, 0.5, 0.25]), // ajv divides doubles: powers of two are exact
  minimum: () => pick(numbers), maximum: () => pick(numbers),
  exclusiveMinimum: () => pick(numbers), exclusiveMaximum: () => pick(numbers),
  minLength: count, maxLength: count, pattern: () => pick(patterns),
  minItems: count, maxItems: count, uniqueItems: () => below(2) === 1,
  minProperties: count, maxProperties: count,
  required: () => Array.from(new Set([pick(names), pick(names)])),
  dependentRequired: () => ({[pick(names)]: [pick(names)]}),
  properties: (d) => map(d, names), patternProperties: (d) => map(d, patterns),
  additionalProperties: (d) => schema(d - 1),
  propertyNames: (d) => schema(d - 1),
  dependentSchemas: (d) => map(d, names),
  prefixItems: list, items: (d) => schema(d - 1), contains: (d) => schema(d - 1),
  minContains: count, maxContains: count,
  allOf: list, anyOf: list, oneOf: list, not: (d) => schema(d - 1),
  if: (d) => schema(d - 1), then: (d) => schema(d - 1), else: (d) => schema(d - 1),
  unevaluatedProperties: (d) => schema(d - 1), unevaluatedItems: (d) => schema(d - 1),
  $ref: () => '#/$defs/' + pick(['p', 'q', 'r']),
};
// ajv does not count what "contains" has evaluated, so no schema has both
const withContains = Object.keys(keywords).filter((k) => k !== 'unevaluatedItems');
const withUnevaluated = Object.keys(keywords).filter((k) => !/ontains/.test(k));
let all = withContains;
const leaves = all.slice(0, all.indexOf('properties'));
function schema(depth) {
  if (below(8) === 0) return below(3) > 0;
  const object = {};
  for (let i = below(4) + 1; i > 0; i--) {
    const name = pick(depth > 0 ? all : leaves);
    object[name] = keywords[name](depth);
  }
  if (below(6) === 0) object.additionalProperties = false;
  // without a real branch, ajv passes over "if" with all that it has evaluated
  if ('if' in object) object.then = {not: false};
  return object;
}

for (let i = Number(process.argv[3]); i > 0;) {
  all = pick([withContains, withUnevaluated]);
  const root = schema(3);
  const whole = typeof root === 'object' ? root : {not: root};
  whole.$defs = {p: schema(0), q: schema(0), r: schema(0)}; // no circles: leaves hold no $ref
  const documents = Array.from({length: 12}, () => value(3));
  const ajv = new Ajv({strict: false, logger: false, addUsedSchema: false});
  let valid;
  try {
    const validate = ajv.compile(whole);
    valid = documents.map((d) => validate(d));
  } catch (error) {
    continue; // code that ajv made and that does not run
  }
  process.stdout.write(JSON.stringify({schema: whole, documents, valid}) + '\n');
  i--;
}
