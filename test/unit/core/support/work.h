/*
 * How much the library under test computes, counted by calls: tests of equal time compare these
 * numbers and no clock. Only calls from our own objects are counted (see link-flags).
 */
#ifndef TEST_WORK_H
#define TEST_WORK_H

struct work {
    unsigned verifications; /* of Ed25519 signatures */
    unsigned comparisons;   /* in constant time */
};

/* Since the last call. */
struct work work_done(void);

#endif
