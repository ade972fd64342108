// The same figures of ajv: node ajv.js CASES SECONDS
'use strict';
const fs = require('fs');
const path = require('path');
const modules = path.join(__dirname, '../../../build/npm/node_modules');
const Ajv = require(path.join(modules, 'ajv/dist/2020')).default;
const now = () => Number(process.hrtime.bigint()) / 1e9;

function rate(seconds, batch, work) {
  const start = now();
  let count = 0;
  do {
    work();
    count += batch;
  } while (now() < start + seconds);
  return Math.round(count / (now() - start));
}

const seconds = Number(process.argv[3]);
for (const one of JSON.parse(fs.readFileSync(process.argv[2]))) {
  const documents = one.documents;
  const options = {strict: false, logger: false, addUsedSchema: false, unicodeRegExp: true};
  const validate = new Ajv(options).compile(one.schema);
  const run = () => {
    let valid = 0;
    for (let i = 0; i < documents.length; i++) valid += validate(documents[i]);
    if (valid !== one.valid) throw new Error('not the expected number of valid documents');
  };
  rate(seconds / 2, documents.length, run); // let the compiler warm up
  console.log(JSON.stringify({figure: 'validate ' + one.name, value: rate(seconds, documents.length, run)}));
  const ajv = new Ajv(options); // a copy each time: ajv remembers schemas by identity
  const compile = () => ajv.compile(JSON.parse(JSON.stringify(one.schema)));
  console.log(JSON.stringify({figure: 'compile ' + one.name, value: rate(seconds, 1, compile)}));
}
