/* Base58Check as BIP32 uses it: 78 bytes and the first four of their double SHA-256. */
#ifndef ALK_BASE58_H
#define ALK_BASE58_H

#include <alk/secret_keys.h>

#define ALK_BASE58_PAYLOAD 78

/* Both wipe their temporaries: the payload may be a key. */
int alk_base58check_encode(const uint8_t payload[ALK_BASE58_PAYLOAD],
                           char out[ALK_BIP32_TEXT_SIZE]);

/* ALK_SECRET_E_KEY for anything but the encoding of exactly 78 bytes. */
int alk_base58check_decode(const char *text, uint8_t payload[ALK_BASE58_PAYLOAD]);

#endif
