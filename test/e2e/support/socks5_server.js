// A SOCKS5 proxy that connects to one port only: socks5_server.js ADDRESS PORT ALLOWED_PORT
const { createServer } = require("@pondwader/socks5-server");

const [address, port, allowed] = process.argv.slice(2);
createServer()
  .setRulesetValidator((connection) => connection.destPort === Number(allowed))
  .listen(Number(port), address);
