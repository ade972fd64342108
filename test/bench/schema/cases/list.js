// A hundred small objects in an array.
'use strict';
const {below, pick, text, maybe} = require('../random');

const schema = {
  "type": "array",
  "items": {
    "type": "object",
    "properties": {
      "id": {
        "type": "integer",
        "minimum": 1
      },
      "name": {
        "type": "string",
        "minLength": 1,
        "maxLength": 100
      },
      "tags": {
        "type": "array",
        "items": {
          "type": "string"
        },
        "uniqueItems": true,
        "maxItems": 10
      },
      "price": {
        "type": "number",
        "exclusiveMinimum": 0
      },
      "kind": {
        "enum": [
          "a",
          "b",
          "c"
        ]
      }
    },
    "required": [
      "id",
      "name",
      "price"
    ],
    "additionalProperties": false
  }
};

function thing(bad) {
  const item = {id: 1 + below(100000), name: text(3 + below(30))};
  maybe(item, 'tags', Array.from({length: below(5)}, (_, i) => text(3) + i));
  item.price = (1 + below(100000)) / 100;
  maybe(item, 'kind', pick(['a', 'b', 'c']));
  return bad ? Object.assign(item, pick([{price: 0}, {extra: 1}, {kind: 'd'}])) : item;
}
function list() {
  const bad = below(10) ? -1 : below(100);
  return Array.from({length: 100}, (_, i) => thing(i === bad));
}

module.exports = {schema, make: list};
