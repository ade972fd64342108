/*
 * Certificates of a test, self-signed, on P-256.
 */
#ifndef PKI_H
#define PKI_H

struct pki_pair {
    char cert[2048], key[1024]; /* PEM */
};

/* For this DNS name, valid from now for days (negative: until some days ago). */
void pki_make(struct pki_pair *pair, const char *name, int days);

#endif
