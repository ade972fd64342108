// ssh2 of npm as a client; see README.
'use strict';
const fs = require('fs');
const net = require('net');
const { utils, Client } = require('ssh2');

const args = process.argv.slice(2);
if (args[0] === '--version') {
  console.log(require('ssh2/package.json').version);
  process.exit(0);
}
const [host, port, username, keyFile, hostKeyFile, ...rest] = args;
const forwards = (flag) => rest.flatMap((x, i) => (x === flag ? [rest[i + 1].split(':')] : []));
const hostKey = utils.parseKey(fs.readFileSync(hostKeyFile)).getPublicSSH();
const client = new Client();

function join(stream, socket) {
  stream.on('error', () => socket.destroy());
  socket.on('error', () => stream.destroy());
  socket.pipe(stream).pipe(socket);
}

client.on('ready', () => {
  for (const [address, entry, to, target] of forwards('-L')) {
    const server = net.createServer({ allowHalfOpen: true }, (socket) => {
      client.forwardOut(socket.remoteAddress, socket.remotePort, to, +target, (error, stream) => {
        if (error) socket.destroy();
        else join(stream, socket);
      });
    });
    server.listen(+entry, address, 128);
  }
  const targets = new Map(forwards('-R').map(([from, to, target]) => [+from, [to, +target]]));
  for (const from of targets.keys())
    client.forwardIn('127.0.0.1', from, (error) => { if (error) throw error; });
  client.on('tcp connection', (info, accept) => {
    const [to, target] = targets.get(info.destPort);
    const stream = accept();
    join(stream, net.connect({ host: to, port: target, allowHalfOpen: true }));
  });
});
client.on('error', (error) => {
  console.error(error.level === 'client-authentication' ? 'refused' : String(error));
  process.exit(1);
});
client.on('close', () => process.exit(0));
process.stdin.on('end', () => client.end());
process.stdin.resume();
client.connect({
  host, port: +port, username, privateKey: fs.readFileSync(keyFile),
  hostVerifier: (key) => key.equals(hostKey),
});
