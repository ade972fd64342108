/* UTF-8, which is what JSON and pictures can hold. */
#ifndef ALK_FLOWGRAPH_UTF8_H
#define ALK_FLOWGRAPH_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character that the text begins with; 0: it is none, or cut off. */
size_t utf8_character(const char *text);
bool utf8_valid(const char *text);
/* Take out what is no character, such as what is left of one that was cut. */
void utf8_mend(char *text);

#endif
