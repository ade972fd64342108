"""Certificates of a test: an authority, and servers that it vouches for."""
import base64
import datetime
import hashlib
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Identity:
    """A certificate and its key, in files."""

    def __init__(self, certificate, key, issuer_chain=()):
        self.certificate, self.key, self.issuer_chain = certificate, key, issuer_chain

    @property
    def pin(self):
        spki = self.key.public_key().public_bytes(serialization.Encoding.DER,
                                                  serialization.PublicFormat.SubjectPublicKeyInfo)
        return "sha256//" + base64.b64encode(hashlib.sha256(spki).digest()).decode()

    def chain_pem(self):
        return b"".join(c.public_bytes(serialization.Encoding.PEM)
                        for c in (self.certificate, *self.issuer_chain))

    def key_pem(self, password=None):
        lock = serialization.BestAvailableEncryption(password) if password else \
            serialization.NoEncryption()
        return self.key.private_bytes(serialization.Encoding.PEM,
                                      serialization.PrivateFormat.PKCS8, lock)

    def write(self, directory, name):
        """Files NAME.pem and NAME.key; replaced in one step, as renewals are."""
        for end, content, mode in ((".pem", self.chain_pem(), 0o644), (".key", self.key_pem(), 0o600)):
            path = os.path.join(directory, name + end)
            with open(path + ".new", "wb") as f:
                f.write(content)
            os.chmod(path + ".new", mode)
            os.rename(path + ".new", path)
        self.cert_path, self.key_path = (os.path.join(directory, name + e) for e in (".pem", ".key"))
        return self


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def issue(subject, names=(), issuer=None, days=(-1, 30), authority=False, key=None):
    """A certificate valid from days[0] to days[1] from now; issuer None: self-signed."""
    now = datetime.datetime.now(datetime.timezone.utc)
    key = key or ec.generate_private_key(ec.SECP256R1())
    signer = issuer.key if issuer else key
    builder = (x509.CertificateBuilder().subject_name(_name(subject)).public_key(key.public_key())
               .issuer_name(issuer.certificate.subject if issuer else _name(subject))
               .serial_number(x509.random_serial_number())
               .not_valid_before(now + datetime.timedelta(days=days[0]))
               .not_valid_after(now + datetime.timedelta(days=days[1]))
               .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
               .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
                              critical=False)
               .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                   signer.public_key()), critical=False))
    if authority:
        builder = builder.add_extension(x509.KeyUsage(
            key_cert_sign=True, crl_sign=True, digital_signature=True, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=False,
            encipher_only=False, decipher_only=False), critical=True)
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_alternative(n) for n in names]), critical=False)
    return Identity(builder.sign(signer, hashes.SHA256()), key)


def authority(directory, name="ca"):
    return issue(f"test authority {name}", authority=True).write(directory, name)
