/*
 * Patterns of ssh_config(5), PATTERNS: "*" for any text, "?" for one character, lists
 * with commas and "!" for negation, and in lists of addresses CIDR blocks. Letter case
 * does not count. Nothing here allocates or recurses.
 */
#ifndef ALK_AUTH_PATTERN_H
#define ALK_AUTH_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum alk_match {
    ALK_MATCH_NEGATED = -1, /* a pattern with "!" matches: overrides every other */
    ALK_MATCH_NONE = 0,
    ALK_MATCH_YES = 1,
};

bool alk_pattern_matches(const char *pattern, size_t pattern_len, const char *text);

/* Judges a text by a list of patterns. */
enum alk_match alk_pattern_list_match(const char *list, size_t list_len, const char *text);

/* A numeric address without port, IPv4 in any spelling of inet_aton(); an IPv4-mapped one counts
 * as IPv4, a zone is dropped. */
struct alk_plain_address {
    uint8_t bytes[16];
    unsigned bits; /* 32 or 128 */
};

bool alk_address_parse(const char *text, size_t len, struct alk_plain_address *address);

/* Judges a numeric address by a from= list: CIDR blocks, addresses, patterns over the
 * address in its shortest spelling. False for what is no address. */
bool alk_address_list_admits(const char *list, const char *address);

/* Can every part of the list be judged? Returns NULL, or what is wrong as the end of a
 * sentence; static storage. *names tells of host names in it, which never match. */
const char *alk_address_list_problem(const char *list, bool *names);

#endif
