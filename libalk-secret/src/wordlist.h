/* The English word list of BIP39. */
#ifndef ALK_WORDLIST_H
#define ALK_WORDLIST_H

#include <stddef.h>

#define ALK_BIP39_WORDS     2048
#define ALK_BIP39_WORD_MAX  8 /* letters of the longest word */
#define ALK_BIP39_WORD_SIZE (ALK_BIP39_WORD_MAX + 1)

extern const char alk_bip39_words[ALK_BIP39_WORDS][ALK_BIP39_WORD_SIZE];

/* The index of a word, or -1. */
int alk_bip39_index(const char *word, size_t len);

/* The word of the list that is nearest to a mistyped one, or NULL when none is near. */
const char *alk_bip39_nearest(const char *word, size_t len);

#endif
