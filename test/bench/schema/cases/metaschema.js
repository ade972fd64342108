// Schemas as documents: the published meta-schema, which refers to itself by a dynamic anchor.
'use strict';
const {below, pick, text, maybe, many} = require('../random');

const schema = {$ref: 'https://json-schema.org/draft/2020-12/schema'};

function leaf() {
  return pick([
    () => ({type: 'string', minLength: below(5), pattern: '^' + text(2)}),
    () => ({type: 'integer', minimum: below(10), description: text(20)}),
    () => ({enum: many(1, 4, () => text(3))}),
    () => ({$ref: '#/$defs/' + text(3)}),
    () => true,
  ])();
}
function object(depth) {
  const made = {type: 'object', title: text(6), properties: {}, required: []};
  for (let i = below(5); i >= 0; i--) {
    const name = text(5);
    made.properties[name] = depth > 0 && below(3) === 0 ? object(depth - 1) : leaf();
    made.required.push(name + i);
  }
  maybe(made, 'additionalProperties', false);
  maybe(made, 'anyOf', many(1, 3, leaf));
  return made;
}
function make() {
  const made = object(2);
  return below(10) ? made : Object.assign(made, pick([{minLength: -1}, {properties: {a: 1}}, {required: 'x'}]));
}

module.exports = {schema, make};
