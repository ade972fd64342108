// The cases, one file each: a schema and 60 documents (as just read, so in the cache), nine in ten of them valid:
// node cases.js FILE
'use strict';
const fs = require('fs');
const path = require('path');
const Ajv = require(path.join(__dirname, '../../../build/npm/node_modules/ajv/dist/2020')).default;

const names = ['call', 'list', 'applicators', 'order', 'events', 'settings', 'expression', 'geometry', 'map', 'wide', 'texts', 'metaschema', 'scalar'];
fs.writeFileSync(process.argv[2], JSON.stringify(names.map((name) => {
  const {schema, make} = require('./cases/' + name);
  const documents = Array.from({length: 60}, make);
  const validate = new Ajv({strict: false, logger: false}).compile(schema);
  return {name, schema, documents, valid: documents.filter((d) => validate(d)).length};
})));
