// Few names in the schema, many and always other ones in the document.
'use strict';
const {below, text, many} = require('../random');

const schema = {
  type: 'object',
  additionalProperties: {
    type: 'object',
    properties: {count: {type: 'integer'}, mean: {type: 'number'}, samples: {type: 'array', items: {type: 'number'}}},
    required: ['count'],
  },
};
function make() {
  const made = {};
  for (let i = 0; i < 20; i++)
    made[text(8)] = {count: below(100), mean: below(1000) / 8, samples: many(0, 8, () => below(1000) / 16)};
  if (below(10) === 0) made.bad = {mean: 1};
  return made;
}

module.exports = {schema, make};
