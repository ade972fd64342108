// An order, as schemas of HTTP APIs have them: references, closed objects, enumerations, formats.
'use strict';
const {below, pick, text, maybe, many} = require('../random');

const schema = {
  $defs: {
    id: {type: 'string', format: 'uuid', pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'},
    money: {
      type: 'object',
      properties: {amount: {type: 'integer', minimum: 0}, currency: {enum: ['EUR', 'USD', 'GBP', 'JPY', 'CHF']}},
      required: ['amount', 'currency'],
      additionalProperties: false,
    },
    address: {
      type: 'object',
      properties: {
        name: {type: 'string', minLength: 1, maxLength: 80},
        street: {type: 'string', minLength: 1, maxLength: 120},
        city: {type: 'string', minLength: 1, maxLength: 80},
        zip: {type: 'string', pattern: '^[0-9]{4,6}$'},
        country: {type: 'string', minLength: 2, maxLength: 2},
      },
      required: ['street', 'city', 'country'],
      additionalProperties: false,
    },
    item: {
      type: 'object',
      properties: {
        sku: {type: 'string', pattern: '^[A-Z]{3}-\\d{4,8}$'},
        title: {type: 'string', maxLength: 200},
        quantity: {type: 'integer', minimum: 1, maximum: 999},
        price: {$ref: '#/$defs/money'},
        discount: {type: 'number', minimum: 0, exclusiveMaximum: 1},
        labels: {type: 'array', items: {type: 'string', maxLength: 20}, maxItems: 5},
      },
      required: ['sku', 'quantity', 'price'],
      additionalProperties: false,
    },
  },
  type: 'object',
  properties: {
    id: {$ref: '#/$defs/id'},
    createdAt: {type: 'string', format: 'date-time'},
    status: {type: 'string', enum: ['draft', 'placed', 'paid', 'shipped', 'delivered', 'cancelled']},
    customer: {
      type: 'object',
      properties: {
        id: {$ref: '#/$defs/id'},
        email: {type: 'string', format: 'email', maxLength: 254},
        phone: {type: ['string', 'null'], pattern: '^\\+[0-9]{6,15}$'},
        vip: {type: 'boolean'},
      },
      required: ['id', 'email'],
      additionalProperties: false,
    },
    billing: {$ref: '#/$defs/address'},
    delivery: {
      oneOf: [
        {
          type: 'object',
          properties: {method: {const: 'ship'}, to: {$ref: '#/$defs/address'}, express: {type: 'boolean'}},
          required: ['method', 'to'],
          additionalProperties: false,
        },
        {
          type: 'object',
          properties: {method: {const: 'pickup'}, store: {type: 'string', minLength: 1}},
          required: ['method', 'store'],
          additionalProperties: false,
        },
      ],
    },
    items: {type: 'array', items: {$ref: '#/$defs/item'}, minItems: 1, maxItems: 100},
    total: {$ref: '#/$defs/money'},
    notes: {anyOf: [{type: 'string', maxLength: 1000}, {type: 'null'}]},
  },
  required: ['id', 'createdAt', 'status', 'customer', 'delivery', 'items', 'total'],
  additionalProperties: false,
};

const hex = (n) => Array.from({length: n}, () => pick([...'0123456789abcdef'])).join('');
const id = () => [8, 4, 4, 4, 12].map(hex).join('-');
const money = () => ({amount: below(100000), currency: pick(['EUR', 'USD', 'GBP'])});
function address() {
  const made = {street: text(12) + ' ' + below(100), city: text(8), country: text(2).toUpperCase()};
  maybe(made, 'zip', String(10000 + below(80000)));
  maybe(made, 'name', text(6) + ' ' + text(9));
  return made;
}
function item() {
  const made = {sku: text(3).toUpperCase() + '-' + (1000 + below(90000)), quantity: 1 + below(9), price: money()};
  maybe(made, 'title', text(20));
  maybe(made, 'discount', below(99) / 100);
  maybe(made, 'labels', many(0, 3, () => text(5)));
  return made;
}
function order() {
  const made = {
    id: id(), createdAt: '2026-11-' + (10 + below(20)) + 'T12:00:00Z', status: pick(['placed', 'paid', 'shipped']),
    customer: {id: id(), email: text(6) + '@' + text(6) + '.org', phone: pick(['+491701234567', null]), vip: below(2) === 0},
    delivery: below(2) ? {method: 'ship', to: address()} : {method: 'pickup', store: text(6)},
    items: many(1, 6, item), total: money(),
  };
  maybe(made, 'billing', address());
  maybe(made, 'notes', pick([null, text(40)]));
  return below(10) ? made : Object.assign(made, pick([{items: []}, {extra: 1}, {total: {amount: -1, currency: 'EUR'}}]));
}

module.exports = {schema, make: order};
