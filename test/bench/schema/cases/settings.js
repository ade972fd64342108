// A configuration: names by pattern, conditions, properties that need others.
'use strict';
const {below, pick, text, maybe, many} = require('../random');

const port = {type: 'integer', minimum: 1, maximum: 65535};
const schema = {
  type: 'object',
  properties: {
    version: {const: 2},
    log: {enum: ['debug', 'info', 'warning', 'error']},
    listeners: {
      type: 'object',
      propertyNames: {pattern: '^[a-z][a-z0-9-]*$', maxLength: 32},
      additionalProperties: {
        type: 'object',
        properties: {
          address: {type: 'string', minLength: 1}, port, protocol: {enum: ['tcp', 'tls', 'unix']},
          certificate: {type: 'string'}, key: {type: 'string'}, path: {type: 'string', pattern: '^/'},
        },
        required: ['protocol'],
        dependentRequired: {certificate: ['key'], key: ['certificate']},
        if: {properties: {protocol: {const: 'unix'}}},
        then: {required: ['path']},
        else: {
          required: ['address', 'port'],
          if: {properties: {protocol: {const: 'tls'}}},
          then: {required: ['certificate']},
        },
      },
    },
    limits: {
      type: 'object',
      patternProperties: {'^max-': {type: 'integer', minimum: 0}, '-seconds$': {type: 'number', exclusiveMinimum: 0}},
      additionalProperties: false,
    },
    rules: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          action: {enum: ['allow', 'deny']},
          from: {anyOf: [{const: 'any'}, {type: 'array', items: {type: 'string', minLength: 1}, uniqueItems: true}]},
          ports: {type: 'array', items: {anyOf: [port, {type: 'string', pattern: '^\\d+-\\d+$'}]}},
        },
        required: ['action'],
        not: {required: ['from', 'users']},
      },
    },
  },
  patternProperties: {'^x-': true},
  required: ['version'],
  additionalProperties: false,
};

const listener = () => pick([
  () => ({protocol: 'tcp', address: '127.0.0.1', port: 1 + below(9000)}),
  () => ({protocol: 'tls', address: '::1', port: 443, certificate: '/etc/' + text(6), key: '/etc/' + text(6)}),
  () => ({protocol: 'unix', path: '/run/' + text(8)}),
])();
const rule = () => ({
  action: pick(['allow', 'deny']), from: below(2) ? 'any' : many(1, 3, (i) => text(6) + i),
  ports: many(0, 4, () => (below(2) ? 1 + below(60000) : '1000-' + (2000 + below(9)))),
});
function settings() {
  const made = {version: 2, log: 'info', listeners: {}, limits: {'max-sessions': below(1000), 'idle-seconds': 1 + below(60)}};
  for (let i = below(4); i >= 0; i--) made.listeners[text(5) + '-' + i] = listener();
  maybe(made, 'rules', many(0, 6, rule));
  maybe(made, 'x-note', text(20));
  return below(10) ? made : Object.assign(made, pick([{version: 3}, {limits: {other: 1}}, {more: 1}]));
}

module.exports = {schema, make: settings};
