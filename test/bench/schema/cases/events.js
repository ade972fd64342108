// Events of seven kinds: oneOf by a constant, each of them a common part with allOf, and nothing unevaluated.
'use strict';
const {below, pick, text, maybe, many} = require('../random');

const event = (type, properties, required) => ({
  allOf: [{$ref: '#/$defs/base'}],
  properties: {type: {const: type}, ...properties},
  required: ['type', ...required],
  unevaluatedProperties: false,
});
const string = {type: 'string', minLength: 1};
const count = {type: 'integer', minimum: 0};
const schema = {
  $defs: {
    base: {
      type: 'object',
      properties: {
        id: {type: 'string', minLength: 8, maxLength: 64},
        time: {type: 'integer', minimum: 0},
        source: {type: 'string', pattern: '^[a-z]+(\\.[a-z]+)*$'},
        trace: {type: 'object', properties: {trace: string, span: string}, required: ['trace'], additionalProperties: false},
      },
      required: ['id', 'time'],
    },
  },
  oneOf: [
    event('created', {name: string, owner: string, tags: {type: 'array', items: string}}, ['name']),
    event('renamed', {from: string, to: string}, ['from', 'to']),
    event('deleted', {reason: {enum: ['user', 'policy', 'expiry']}}, []),
    event('shared', {with: {type: 'array', items: string, minItems: 1}, role: {enum: ['reader', 'writer']}}, ['with', 'role']),
    event('measured', {metric: string, value: {type: 'number'}, unit: string}, ['metric', 'value']),
    event('failed', {code: {type: 'integer'}, message: string, retries: count}, ['code', 'message']),
    event('moved', {path: {type: 'array', items: count, minItems: 1}}, ['path']),
  ],
};

const bodies = {
  created: () => ({name: text(8), owner: text(5), tags: many(0, 4, () => text(4))}),
  renamed: () => ({from: text(8), to: text(9)}),
  deleted: () => ({reason: pick(['user', 'policy'])}),
  shared: () => ({with: many(1, 4, () => text(7)), role: 'reader'}),
  measured: () => ({metric: text(9), value: below(1000) / 8, unit: 'ms'}),
  failed: () => ({code: below(600), message: text(30)}),
  moved: () => ({path: many(1, 6, () => below(50))}),
};
function make() {
  const type = pick(Object.keys(bodies));
  const made = {id: text(16), time: 1760000000000 + below(100000), type, ...bodies[type]()};
  maybe(made, 'source', text(4) + '.' + text(6));
  maybe(made, 'trace', {trace: text(16), span: text(8)});
  return below(10) ? made : Object.assign(made, pick([{extra: 1}, {time: -1}, {type: 'unknown'}]));
}

module.exports = {schema, make};
