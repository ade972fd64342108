// Expressions: anyOf and oneOf by type, recursion, tuples.
'use strict';
const {below, pick, text, many} = require('../random');

const schema = {
  $ref: '#/$defs/expression',
  $defs: {
    expression: {
      anyOf: [
        {type: 'number'}, {type: 'string', maxLength: 64}, {type: 'boolean'},
        {$ref: '#/$defs/operation'}, {$ref: '#/$defs/list'},
      ],
    },
    operation: {
      type: 'object',
      properties: {
        op: {enum: ['+', '-', '*', '/']},
        left: {$ref: '#/$defs/expression'},
        right: {$ref: '#/$defs/expression'},
      },
      required: ['op', 'left', 'right'],
      additionalProperties: false,
    },
    list: {
      type: 'array',
      prefixItems: [{const: 'list'}],
      items: {$ref: '#/$defs/expression'},
      minItems: 1,
    },
  },
};

function expression(depth, bad) {
  const kind = depth > 0 ? below(5) : below(3);
  if (kind === 0) return below(1000) / 4;
  if (kind === 1) return text(6);
  if (kind === 2) return bad ? null : true;
  if (kind === 3)
    return {op: pick(['+', '-', '*']), left: expression(depth - 1, bad), right: expression(depth - 1, bad)};
  return ['list', ...many(0, 4, () => expression(depth - 1, bad))];
}

module.exports = {schema, make: () => ["list", ...many(4, 8, () => expression(4, below(100) === 0))]};
