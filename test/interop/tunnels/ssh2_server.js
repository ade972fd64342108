// ssh2 of npm as a server that forwards and nothing else; see README.
'use strict';
const fs = require('fs');
const net = require('net');
const { utils, Server } = require('ssh2');

const [address, port, hostKeyFile, userKeyFile, ...rest] = process.argv.slice(2);
const userKey = utils.parseKey(fs.readFileSync(userKeyFile));
const rekey = rest.includes('--rekey');
const REKEY_AFTER = 1 << 20;

function authenticate(context) {
  const known = context.method === 'publickey' && context.key.data.equals(userKey.getPublicSSH());
  const signed = !context.signature || userKey.verify(context.blob, context.signature, context.hashAlgo);
  if (known && signed === true || known && !context.signature) context.accept();
  else context.reject(['publickey']);
}

// Carries both ways until both have ended. stream.end() would not do: as a server, ssh2 closes the channel
// then, whatever is still to come.
function join(stream, socket) {
  let ended = false;

  function finish() {
    if (ended) stream.end();
    ended = true;
  }
  stream.on('error', () => socket.destroy());
  socket.on('error', () => stream.destroy());
  socket.pipe(stream, { end: false });
  stream.pipe(socket);
  socket.on('end', () => stream.write('', () => {
    stream.eof();
    finish();
  }));
  stream.on('end', finish);
}

function serve(client) {
  const listeners = new Set();
  let moved = 0;
  let exchanging = false;

  function count(data) {
    moved += data.length;
    if (!rekey || exchanging || moved < REKEY_AFTER) return;
    moved = 0;
    exchanging = true;
    client.rekey(() => {
      exchanging = false;
      console.log('exchanged keys');
    });
  }
  client.on('authentication', authenticate);
  client.on('tcpip', (accept, reject, info) => {
    const socket = net.connect({ host: info.destIP, port: info.destPort, allowHalfOpen: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.removeListener('error', reject);
      const stream = accept();
      stream.on('data', count);
      join(stream, socket);
    });
  });
  client.on('request', (accept, reject, name, info) => {
    if (name !== 'tcpip-forward') return reject && reject();
    const server = net.createServer({ allowHalfOpen: true }, (socket) => {
      client.forwardOut(info.bindAddr, info.bindPort, socket.remoteAddress, socket.remotePort,
        (error, stream) => {
          if (error) socket.destroy();
          else join(stream, socket);
        });
    });
    server.listen(info.bindPort, '127.0.0.1', () => accept(server.address().port));
    listeners.add(server);
  });
  client.on('error', () => {});
  client.on('close', () => listeners.forEach((server) => server.close()));
}

new Server({ hostKeys: [fs.readFileSync(hostKeyFile)] }, serve)
  .listen(+port, address, () => console.log('listening'));
