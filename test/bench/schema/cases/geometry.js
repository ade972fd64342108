// Shapes on a map: an enumeration tells oneOf apart, and arrays of arrays of numbers.
'use strict';
const {below, pick, text, many} = require('../random');

const shape = (type, coordinates) => ({
  type: 'object',
  required: ['type', 'coordinates'],
  properties: {type: {type: 'string', enum: [type]}, coordinates, bbox: {type: 'array', minItems: 4, items: {type: 'number'}}},
});
const position = {type: 'array', minItems: 2, maxItems: 3, items: {type: 'number'}};
const row = {type: 'array', minItems: 2, items: position};
const schema = {
  type: 'object',
  required: ['type', 'properties', 'geometry'],
  properties: {
    type: {type: 'string', enum: ['Feature']},
    id: {oneOf: [{type: 'number'}, {type: 'string'}]},
    properties: {oneOf: [{type: 'null'}, {type: 'object'}]},
    geometry: {
      oneOf: [
        {type: 'null'}, shape('Point', position), shape('LineString', row),
        shape('Polygon', {type: 'array', items: {type: 'array', minItems: 4, items: position}}),
      ],
    },
  },
};

const place = () => [below(36000) / 100 - 180, below(18000) / 100 - 90];
const shapes = [
  () => ({type: 'Point', coordinates: place()}),
  () => ({type: 'LineString', coordinates: many(2, 12, place)}),
  () => ({type: 'Polygon', coordinates: [many(4, 20, place)]}),
];
function make() {
  const made = {type: 'Feature', id: pick([below(1000), text(6)]), properties: {name: text(8)}, geometry: pick(shapes)()};
  return below(10) ? made : Object.assign(made, pick([{geometry: {type: 'Point', coordinates: [1]}}, {properties: 1}]));
}

module.exports = {schema, make};
