// A tree whose nodes are told apart by oneOf, with unevaluatedProperties.
'use strict';
const {below, text} = require('../random');

const schema = {
  "$defs": {
    "leaf": {
      "properties": {
        "kind": {
          "const": "leaf"
        },
        "value": {
          "type": [
            "number",
            "string"
          ]
        }
      },
      "required": [
        "value"
      ]
    },
    "tree": {
      "properties": {
        "kind": {
          "const": "tree"
        },
        "children": {
          "type": "array",
          "items": {
            "$ref": "#/$defs/node"
          }
        }
      },
      "required": [
        "children"
      ]
    },
    "node": {
      "type": "object",
      "required": [
        "kind"
      ],
      "oneOf": [
        {
          "$ref": "#/$defs/leaf"
        },
        {
          "$ref": "#/$defs/tree"
        }
      ],
      "unevaluatedProperties": false
    }
  },
  "$ref": "#/$defs/node"
};

function tree(depth, bad) {
  if (depth === 0 || below(3) === 0)
    return bad ? {kind: 'leaf'} : {kind: 'leaf', value: below(2) ? below(1000) / 4 : text(5)};
  return {kind: 'tree', children: Array.from({length: 1 + below(3)}, () => tree(depth - 1, bad))};
}

module.exports = {schema, make: () => tree(3, below(10) === 0)};
