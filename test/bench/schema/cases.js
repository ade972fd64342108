// The cases: a schema and 60 documents each (as just read, so in the cache), nine in ten of them valid: node cases.js FILE
'use strict';
const fs = require('fs');

let seed = 1;
const below = (n) => { // Park and Miller
  seed = (seed * 48271) % 2147483647;
  return seed % n;
};
const pick = (list) => list[below(list.length)];
const text = (n) => Array.from({length: n}, () => pick([...'abcdefghijklmnopqrstuvwxyz'])).join('');
const maybe = (object, name, value) => { if (below(3)) object[name] = value; };

const callSchema = {
  "type": "object",
  "properties": {
    "operationId": {
      "type": "string",
      "pattern": "^/[a-z0-9]+/[A-Za-z0-9]+$",
      "maxLength": 200
    },
    "input": {
      "type": "object",
      "properties": {
        "path": {
          "type": "string",
          "minLength": 1,
          "maxLength": 4096
        },
        "encoding": {
          "enum": [
            "utf8",
            "base64",
            "hex"
          ]
        },
        "offset": {
          "type": "integer",
          "minimum": 0
        },
        "length": {
          "type": "integer",
          "minimum": 1,
          "maximum": 1048576
        }
      },
      "required": [
        "path"
      ],
      "additionalProperties": false
    },
    "parentRequestId": {
      "type": "string",
      "maxLength": 64
    },
    "deadline": {
      "type": "integer",
      "minimum": 0
    },
    "metadata": {
      "type": "object",
      "additionalProperties": {
        "type": "string"
      }
    }
  },
  "required": [
    "operationId",
    "input"
  ]
};

function call() {
  const input = {path: '/' + text(4) + '/' + text(3 + below(20))};
  maybe(input, 'encoding', pick(['utf8', 'base64', 'hex']));
  maybe(input, 'offset', below(100000));
  maybe(input, 'length', 1 + below(4096));
  const message = {operationId: '/' + text(3) + '/' + text(8), input};
  maybe(message, 'parentRequestId', text(12));
  maybe(message, 'deadline', 1760000000000 + below(1000000));
  maybe(message, 'metadata', {trace: text(16), tenant: text(5)});
  return below(10) ? message : Object.assign(message, pick([{input: {}}, {operationId: 'X'}, {deadline: -1}]));
}

const listSchema = {
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

const treeSchema = {
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

const cases = [
  ['call', callSchema, call],
  ['list', listSchema, list],
  ['applicators', treeSchema, () => tree(3, below(10) === 0)],
];
const path = require('path');
const Ajv = require(path.join(__dirname, '../../../build/npm/node_modules/ajv/dist/2020')).default;
fs.writeFileSync(process.argv[2], JSON.stringify(cases.map(([name, schema, make]) => {
  const documents = Array.from({length: 60}, make);
  const validate = new Ajv({strict: false}).compile(schema);
  return {name, schema, documents, valid: documents.filter((d) => validate(d)).length};
})));
