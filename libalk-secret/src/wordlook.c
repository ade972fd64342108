/* Looking words up in the BIP39 list: exactly, and for the hint to a mistyped one. */
#include "wordlist.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>

#define TYPED_MAX 16 /* a longer word is near to nothing in the list */
#define NEAR      3  /* edits that still count as a slip of the fingers */

static int compare(const char *word, size_t len, const char *entry)
{
    int order = strncmp(word, entry, len);
    return order != 0 ? order : (entry[len] == '\0' ? 0 : -1);
}

int alk_bip39_index(const char *word, size_t len)
{
    size_t low = 0, high = ALK_BIP39_WORDS;

    if (len == 0 || len > ALK_BIP39_WORD_MAX)
        return -1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(word, len, alk_bip39_words[middle]);
        if (order == 0)
            return (int)middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -1;
}

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Levenshtein distance, one row at a time. */
static size_t distance(const char *typed, size_t len, const char *entry)
{
    size_t row[TYPED_MAX + 1];

    for (size_t i = 0; i <= len; i++)
        row[i] = i;
    for (size_t j = 0; entry[j] != '\0'; j++) {
        size_t diagonal = row[0];
        row[0] = j + 1;
        for (size_t i = 0; i < len; i++) {
            size_t above = row[i + 1];
            row[i + 1] = least(above + 1, row[i] + 1, diagonal + (typed[i] != entry[j]));
            diagonal = above;
        }
    }
    return row[len];
}

const char *alk_bip39_nearest(const char *word, size_t len)
{
    char typed[TYPED_MAX];
    const char *best = NULL;
    size_t best_distance = NEAR + 1;

    if (len == 0 || len > TYPED_MAX)
        return NULL;
    for (size_t i = 0; i < len; i++)
        typed[i] = (char)tolower((unsigned char)word[i]);
    for (size_t i = 0; i < ALK_BIP39_WORDS; i++) {
        size_t d = distance(typed, len, alk_bip39_words[i]);
        /* four letters name a word of the list, so a longer word that starts alike is the one */
        if (d > 0 && len >= 4 && strncmp(typed, alk_bip39_words[i], 4) == 0)
            d = 1;
        if (d < best_distance) {
            best_distance = d;
            best = alk_bip39_words[i];
        }
    }
    sodium_memzero(typed, sizeof typed);
    return best;
}
