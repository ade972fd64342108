"""The programs of the matrix. A new one is a class here; its cells follow."""
from .libraries import AsyncSSH, Libssh, Libssh2, Paramiko, Ssh2
from .programs import Dropbear, OpenSSH, PuTTY
from . import server

CLIENTS = [OpenSSH(), Dropbear(), PuTTY(), Libssh(), Libssh2(), Paramiko(), AsyncSSH(), Ssh2()]
SERVERS = [server.OpenSSH(), server.Dropbear(), server.AsyncSSH(), server.Ssh2()]
