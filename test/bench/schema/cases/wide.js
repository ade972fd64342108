// Fifty properties of all simple types, in any order.
'use strict';
const {below, pick, text} = require('../random');

const kinds = [
  [{type: 'string', maxLength: 50}, () => text(10)],
  [{type: 'integer', minimum: 0}, () => below(1000)],
  [{type: 'boolean'}, () => below(2) === 0],
  [{enum: ['one', 'two', 'three']}, () => pick(['one', 'two', 'three'])],
  [{type: ['number', 'null']}, () => pick([null, 1.5])],
];
const names = Array.from({length: 50}, (_, i) => text(3 + i % 12) + i);
const schema = {
  type: 'object',
  properties: Object.fromEntries(names.map((name, i) => [name, kinds[i % 5][0]])),
  required: names.filter((_, i) => i % 7 === 0),
  additionalProperties: false,
};
function make() {
  const made = {};
  const rotated = [...names.slice(25), ...names.slice(0, 25)];
  rotated.forEach((name) => {
    const i = names.indexOf(name);
    if (i % 7 === 0 || below(3)) made[name] = kinds[i % 5][1]();
  });
  return below(10) ? made : Object.assign(made, pick([{[names[0]]: 1}, {more: 1}]));
}

module.exports = {schema, make};
