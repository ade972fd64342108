/* What every test of this library includes. */
#ifndef TEST_H
#define TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/vectors.h"

/* The mnemonic of zero entropy, and another valid one. */
#define ABANDON                                                                                    \
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon "     \
    "about"
#define LEGAL "legal winner thank year wave sausage worth useful legal winner thank yellow"

#endif
