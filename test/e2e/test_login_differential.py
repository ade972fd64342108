"""The same authorized_keys lines, certificates and revocation list for OpenSSH's sshd and for
alknet-server, and OpenSSH's client to log in to both: they must give the same answer.

Every case has a key and an authority of its own, so that one start of each server serves all.
An answer is "refused", "closed" (logged in, but no channel is opened) or "open". Where alknet
differs on purpose, the case says what it answers and why; docs/guide.md lists the same.
"""
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from support.authority import TOUCHED, VERIFIED, SecurityKeys, make_key, revoke, sign
from support.program import PATIENCE

COMMAND = "a key or certificate that is bound to a command gets no forwarding"
NO_PRINCIPALS = "a certificate without principals is refused, wherever its authority is named"
ANY_PRINCIPAL = 'principals="*" admits every certificate of the authority'
ATTEST = "verify-required on a key that cannot attest it refuses it"
NAMES = "no host names are looked up: a line that excludes one cannot be enforced"
SCOPES = "sshd does not know our options and extensions"
CA_TYPE = "authorities are Ed25519 keys only"
MAPPED = "an IPv4-mapped address is the IPv4 address that it stands for"
BLOCK = "a block without an address is a restriction that would not hold"
NO_DAY = "a day that does not exist is a slip"
EMPTY = "an empty option may be a slip that hides a restriction"
TWO_COMMANDS = "commands are not compared: neither runs, and there is no forwarding"


@dataclass
class Case:
    name: str
    lines: str = ""  # of authorized_keys: {key}, {type}, {base64}, {ca}, {port}
    sshd: str = "open"  # what sshd answers, so that a case that tests nothing shows
    cert: list = None  # further arguments of ssh-keygen -s; {now} stands for a long validity
    trusted: bool = False  # the authority is in the file of authorities
    revoked: str = None  # a specification of ssh-keygen -k: {key}, {ca}, {fingerprint}
    sk: dict = None  # the key is a security key with these properties
    log_in_as_ca: bool = False
    ca_type: str = "ed25519"
    ours: str = None  # the answer of alknet-server where it differs
    why: str = None
    values: dict = field(default_factory=dict)


def key(name, lines, sshd="open", **more):
    return Case(name, lines + "\n", sshd, **more)


def option(options, sshd="open", ours=None, why=None, **more):
    return key(options, f"{options} {{key}}", sshd, ours=ours, why=why, **more)


def cert(args, sshd="open", options="cert-authority", ours=None, why=None, **more):
    """A certificate whose authority is on a line of authorized_keys."""
    return Case(f"{options}: {args}", f"{options} {{ca}}\n", sshd, cert=args.split(), ours=ours,
                why=why, **more)


def trusted(args, sshd="open", ours=None, why=None, **more):
    return Case(f"trusted: {args}", "", sshd, cert=args.split(), trusted=True, ours=ours, why=why,
                **more)


def security(name, options, flags, sshd, **more):
    return Case(f"sk: {name}", f"{options}{{key}}\n", sshd, sk={"flags": flags}, **more)


CASES = [
    key("plain", "{key}"),
    key("comment", "{key} somebody at home"),
    key("blanks before", "  \t {key}"),
    key("carriage return", "{key}\r"),
    key("blanks between", "{type} \t  {base64}\tcomment"),
    key("options as comment", "{key} restrict"),
    key("commented out", "# {key}", "refused"),
    key("not there", "", "refused"),
    key("cut short", "{type} {base64:.60}", "refused"),
    key("other type", "ssh-rsa {base64}", "refused"),
    key("type only", "{type}", "refused"),
    key("no type", "{base64}", "refused"),
    key("next line admits", 'from="10.0.0.0/8" {key}\n{key}'),
    key("first line counts", "restrict {key}\n{key}", "closed"),
    key("after a bad line", "nonsense {key}\n{key}"),
    option("restrict", "closed"),
    option("RESTRICT", "closed"),
    option("restrict,port-forwarding"),
    option("restrict,Port-Forwarding"),
    option("port-forwarding,restrict", "closed"),
    option("no-port-forwarding", "closed"),
    option("no-port-forwarding,pty", "closed"),
    option("no-pty"),
    option("no-agent-forwarding,no-X11-forwarding,no-user-rc"),
    option("pty,agent-forwarding,x11-forwarding,user-rc"),
    option('environment="A=b"'),
    option('tunnel="0"'),
    option('environment="A-B=c"', "refused"),
    option('environment="A"', "refused"),
    option('tunnel="1:2"', "refused"),
    option('tunnel="ANY"'),
    option('command="true"', ours="closed", why=COMMAND),
    option('command="say \\"hello, you\\"",no-pty', ours="closed", why=COMMAND),
    option('command="true",port-forwarding', ours="closed", why=COMMAND),
    option('command="true",command="false"', "refused"),
    option("command=true", "refused"),
    option('command="true', "refused"),
    option("command", "refused"),
    option("unknown-option", "refused"),
    option('unknown-option="x"', "refused"),
    option("restrict,unknown-option", "refused"),
    option("restrict,,pty", "closed", ours="refused", why=EMPTY),
    option("restrict,", "closed", ours="refused", why=EMPTY),
    option("restrict ,pty", "refused"),
    option('restrict="yes"', "refused"),
    option('no-pty\t', "open"),
    option('from="127.0.0.1"'),
    option('FROM="127.0.0.1"'),
    option('from="127.0.0.0/8"'),
    option('from="127.0.0.0/8,10.0.0.0/8"'),
    option('from="10.0.0.0/8"', "refused"),
    option('from="127.0.0.?"'),
    option('from="127.*"'),
    option('from="*"'),
    option('from="!127.0.0.1,*"', "refused"),
    option('from="*,!127.0.0.0/8"', "refused"),
    option('from="*,!10.0.0.0/8"'),
    option('from="::1"', "refused"),
    option('from="127.0.0.1/8"', "refused"),
    option('from="127.0.0.0/33"', "refused"),
    option('from="127.0.0.1",from="127.0.0.1"', "refused"),
    option('from="server.invalid"', "refused"),
    option('from="*,!server.invalid"', ours="refused", why=NAMES),
    option('from="127.0.0.1",restrict', "closed"),
    option('from="127.1"'),
    option('from="*,!127.1"', "refused"),
    option('from="*,!2130706433"', "refused"),
    option('from="*,!0x7f.0.0.1/32"', "refused"),
    option('from="*,!127.000.000.001"', "refused"),
    option('from="::ffff:127.0.0.1"', "refused", ours="open", why=MAPPED),
    option('from="*,!10.0.0.0/33"', "refused"),
    option('from="*,!host/24"', ours="refused", why=BLOCK),
    option('expiry-time="29990230"', ours="refused", why=NO_DAY),
    option('expiry-time="29990101"'),
    option('expiry-time="299901011200"'),
    option('expiry-time="29990101120000"'),
    option('expiry-time="20200101"', "refused"),
    option('expiry-time="2020"', "refused"),
    option('expiry-time="29991301"', "refused"),
    option('expiry-time="29990101",expiry-time="20200101"', "refused"),
    option('permitopen="127.0.0.1:{port}"'),
    option('permitopen="127.0.0.1:*"'),
    option('permitopen="*:{port}"'),
    option('permitopen="127.0.0.1:1"', "closed"),
    option('permitopen="localhost:*"', "closed"),
    option('permitopen="127.0.0.1:1",permitopen="127.0.0.1:{port}"'),
    option('permitopen="127.0.0.1"', "refused"),
    option('permitopen="127.0.0.1/{port}"'),
    option('permitopen="127.0.0.1:+0{port}"'),
    option('permitopen="127.0.0.1:ssh"', "closed"),
    option('permitopen=":{port}"', "closed"),
    option('permitopen="127.0.0.1:{port} "', "refused"),
    option('permitlisten=":8080"'),
    option('permitlisten="ssh"'),
    option('permitopen="127.0.0.1:x"', "refused"),
    option('restrict,permitopen="127.0.0.1:*"', "closed"),
    option('permitlisten="8080"'),
    option('permitlisten="localhost:8080"'),
    option('permitlisten="x"', "refused"),
    option("cert-authority", "refused"),
    option('principals="root"', "refused"),
    option("no-touch-required"),
    option("touch-required,no-verify-required"),
    option("verify-required", ours="refused", why=ATTEST),
    option('alk-scopes="relay:connect"', "refused", ours="open", why=SCOPES),
    option('alk-scopes="metrics:read"', "refused", ours="closed", why=SCOPES),

    cert("-n root"),
    cert("-n other,root"),
    cert("-n other", "refused"),
    cert("-n Root", "refused"),
    cert("", ours="refused", why=NO_PRINCIPALS),
    cert("-n other", options='cert-authority,principals="other"'),
    cert("-n other", options='principals="nobody,other",cert-authority'),
    cert("-n root", "refused", options='cert-authority,principals="other"'),
    cert("-n root", "refused", options='cert-authority,principals=""'),
    cert("-n root", "refused", options='cert-authority,principals="roo?"'),
    cert("", "refused", options='cert-authority,principals="other"'),
    cert("", "refused", options='cert-authority,principals="*"', ours="open", why=ANY_PRINCIPAL),
    cert("-n root", options="Cert-Authority"),
    cert("-n root", "refused", options="no-pty"),
    cert("-n root", "closed", options="restrict,cert-authority"),
    cert("-n root", options="restrict,cert-authority,port-forwarding"),
    cert("-n root", "refused", options='from="10.0.0.0/8",cert-authority'),
    cert("-n root", "refused", options='cert-authority,expiry-time="20200101"'),
    cert("-n root", "closed", options='cert-authority,permitopen="127.0.0.1:1"'),
    cert("-n root", options='cert-authority,permitopen="127.0.0.1:{port}"'),
    cert("-n root", "refused", options="cert-authority,unknown-option"),
    cert("-n root", options='cert-authority,command="true"', ours="closed", why=COMMAND),
    cert("-n root -V 20200101:20210101", "refused"),
    cert("-n root -V 29980101:29990101", "refused"),
    cert("-n root -V 20200101:29990101"),
    cert("-n root -V always:forever"),
    cert("-n root -h", "refused"),
    cert("-n root -O clear", "closed"),
    cert("-n root -O no-port-forwarding", "closed"),
    cert("-n root -O clear -O permit-port-forwarding"),
    cert("-n root -O source-address=127.0.0.0/8"),
    cert("-n root -O source-address=10.0.0.0/8,127.0.0.1/32"),
    cert("-n root -O source-address=10.0.0.0/8", "refused"),
    cert("-n root -O source-address=::1/128", "refused"),
    cert("-n root -O critical:source-address=127.0.0.*", "refused"),
    cert("-n root -O critical:source-address=", "refused"),
    cert("-n root -O force-command=true", ours="closed", why=COMMAND),
    cert("-n root -O force-command=true", "refused", options='cert-authority,command="false"',
         ours="closed", why=TWO_COMMANDS),
    cert("-n root -O critical:unknown@example.com=x", "refused"),
    cert("-n root -O critical:permit-port-forwarding", "refused"),
    cert("-n root -O extension:unknown@example.com=x"),
    cert("-n root -O verify-required", ours="refused", why=ATTEST),
    cert("-n root -O no-touch-required"),
    cert("-n root -O extension:alk-scopes@alknet=relay:connect"),
    cert("-n root -O extension:alk-scopes@alknet=metrics:read", ours="closed", why=SCOPES),
    cert("-n root -O extension:alk-scopes@alknet=no,,scopes", ours="refused", why=SCOPES),
    cert("-n root -z 18446744073709551615"),
    key("certificate of an unknown authority", "# {ca}", "refused", cert=["-n", "root"]),
    key("certificate where the plain key is listed", "{key}", cert=["-n", "other"]),
    cert("-n root", ca_type="rsa", ours="refused", why=CA_TYPE),

    trusted("-n root"),
    trusted("-n other", "refused"),
    trusted("", "refused"),
    trusted("-n root -V 20200101:20210101", "refused"),
    trusted("-n root -h", "refused"),
    trusted("-n root -O clear", "closed"),
    trusted("-n root -O force-command=true", ours="closed", why=COMMAND),
    trusted("-n root -O source-address=10.0.0.0/8", "refused"),
    Case("trusted authority's own key", "", "refused", trusted=True, log_in_as_ca=True),

    key("revoked", "{key}", "refused", revoked="key: {key}"),
    key("revoked by SHA-1", "{key}", "refused", revoked="sha1: {key}"),
    key("revoked by SHA-256", "{key}", "refused", revoked="sha256: {key}"),
    key("revoked by fingerprint", "{key}", "refused", revoked="hash: {fingerprint}"),
    cert("-n root -z 5", "refused", revoked="serial: 5"),
    cert("-n root -z 6", revoked="serial: 5"),
    cert("-n root -z 150", "refused", revoked="serial: 100-200"),
    cert("-n root -z 201", revoked="serial: 100-200"),
    cert("-n root -z 33", "refused", revoked="serial: 3\nserial: 7\nserial: 11\nserial: 33"),
    cert("-n root -z 34", revoked="serial: 3\nserial: 7\nserial: 11\nserial: 33"),
    cert("-n root", "refused", revoked="id: someone"),
    cert("-n root", revoked="id: somebody else"),
    cert("-n root", "refused", revoked="key: {key}"),
    cert("-n root", "refused", revoked="sha1: {key}"),
    cert("-n root", "refused", revoked="key: {ca}"),
    trusted("-n root", "refused", revoked="sha256: {ca}"),

    security("touched", "", TOUCHED, "open"),
    security("not touched", "", 0, "refused"),
    security("only verified", "", VERIFIED, "refused"),
    security("not touched, not required", "no-touch-required ", 0, "open"),
    security("verified", "verify-required ", TOUCHED | VERIFIED, "open"),
    security("not verified", "verify-required ", TOUCHED, "refused"),
    security("restricted", "restrict ", TOUCHED, "closed"),
    Case("sk: other application", "{key}\n", sk={"flags": TOUCHED, "application": "ssh:work"}),
    Case("sk: not listed", "", "refused", sk={"flags": TOUCHED}),
    Case("sk: bad signature", "{key}\n", "refused", sk={"flags": TOUCHED, "broken": True}),
    cert("-n root", sk={"flags": TOUCHED}),
    cert("-n root", "refused", sk={"flags": 0}),
    cert("-n root -O no-touch-required", "refused", sk={"flags": 0}),
    cert("-n root -O no-touch-required", options="cert-authority,no-touch-required",
         sk={"flags": 0}),
    trusted("-n root -O no-touch-required", sk={"flags": 0}),
    cert("-n root -O verify-required", "refused", sk={"flags": TOUCHED}),
    cert("-n root -O verify-required", sk={"flags": TOUCHED | VERIFIED}),
]


class Files:
    """What both servers read, and the keys to log in with."""

    def __init__(self, lab, port):
        self.lab = lab
        self.agent = SecurityKeys(lab.path("agent"))
        self.krl = lab.path("krl")
        self.lines, self.trusted = [], []
        make_key(lab.path("nobody"))
        revoke(self.krl, lab.path("nobody"), "")
        for number, case in enumerate(CASES):
            self._prepare(number, case, port)
        self.authorized = lab.write("keys", "".join(self.lines))
        self.authorities = lab.write("authorities", "".join(self.trusted))

    def _prepare(self, number, case, port):
        path, ca = self.lab.path(f"key{number}"), self.lab.path(f"ca{number}")
        line = self.agent.make(path, **case.sk) if case.sk else make_key(path)
        if case.ca_type == "ed25519":
            ca_line = make_key(ca)
        else:
            subprocess.run(["ssh-keygen", "-q", "-t", case.ca_type, "-N", "", "-f", ca], check=True)
            ca_line = open(ca + ".pub").read().strip()
        kind, base64 = line.split()
        values = {"key": line, "type": kind, "base64": base64, "ca": ca_line, "port": port}
        self.lines.append(case.lines.format(**values))
        if case.trusted:
            self.trusted.append(ca_line + "\n")
        if case.cert is not None:
            sign(ca, path + ".pub", *case.cert)
        if case.revoked:
            values["fingerprint"] = subprocess.run(
                ["ssh-keygen", "-lf", path + ".pub"], check=True, capture_output=True,
                text=True).stdout.split()[1]
            revoke(self.krl, ca, case.revoked.format(**values) + "\n")
        case.values = {"identity": ca if case.log_in_as_ca else path, "sk": bool(case.sk)}


def log_in(lab, files, server, case, target):
    """What the server answers to OpenSSH's client: refused, closed, open, or what went wrong."""
    identity = case.values["identity"]
    argv = ["ssh", "-F", "none", "-T", "-p", str(server.port), "-l", "root", "-W", target.spec,
            "-o", f"UserKnownHostsFile={server.known_hosts}", "-o", "StrictHostKeyChecking=yes",
            "-o", "GlobalKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes",
            "-o", "BatchMode=yes", "-o", "PasswordAuthentication=no",
            "-o", f"IdentityAgent={files.agent.path if case.values['sk'] else 'none'}"]
    if case.cert is not None:
        argv += ["-o", f"CertificateFile={identity}-cert.pub"]
    argv += ["-i", identity + (".pub" if case.values["sk"] else ""), server.host]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=30 * PATIENCE)
    if done.stdout == "hello":
        return "open"
    if "Permission denied" in done.stderr:
        return "refused"
    if "administratively prohibited" in done.stderr:
        return "closed"
    return f"{done.stdout!r} {done.stderr!r}"


def answers(lab, files, server, target):
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda case: log_in(lab, files, server, case, target), CASES))


@pytest.fixture
def greeter(lab):
    """Says hello to whoever connects; its address is no secret here."""
    return lab.serve(lambda connection: connection.sendall(b"hello"), "127.0.0.1")


@pytest.mark.slow
def test_the_same_answers_as_sshd(lab, greeter):
    assert len(CASES) >= 80
    files = Files(lab, greeter.port)
    sshd = lab.sshd(f"AuthorizedKeysFile {files.authorized}",
                    f"TrustedUserCAKeys {files.authorities}", f"RevokedKeys {files.krl}",
                    "MaxAuthTries 20", "MaxStartups 100", authorized_keys=False)
    expected = answers(lab, files, sshd, greeter)
    config = lab.write("conf", "[limits]\npenalty_exempt = 127.0.0.1\n")
    server = lab.server("--config", config, "--cert-authority", files.authorities, "--revoked-keys", files.krl,
                        "--max-auth-attempts", "20", authorized=files.lines)
    got = answers(lab, files, server, greeter)
    files.agent.close()
    wrong = [f"{c.name!r}: sshd says {e}, expected {c.sshd}" for c, e in zip(CASES, expected)
             if e != c.sshd]
    wrong += [f"{c.name!r}: alknet says {g}, sshd {e}" + (f", expected {c.ours}" if c.ours else "")
              for c, e, g in zip(CASES, expected, got) if g != (c.ours or e)]
    assert not wrong, "\n" + "\n".join(wrong)


def test_every_difference_has_a_reason():
    for case in CASES:
        assert (case.ours is None) == (case.why is None), case.name
        assert case.ours != case.sshd, case.name
