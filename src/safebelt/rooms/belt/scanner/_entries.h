/* How a folded character is written for the loops in C: its code point, and its class above.
 *
 * In the folding table alone, SEVERAL says that a character folds to none or several; then the rest is the number of a
 * row that says which.
 */
#ifndef SAFEBELT_ENTRIES_H
#define SAFEBELT_ENTRIES_H

#include <stdint.h>

#define SEVERAL 0x80000000u
#define CODE(entry) ((entry) & 0x1FFFFFu)
#define CLASS(entry) ((uint8_t)(((entry) >> 21) & 0x7Fu))
#define ENTRY(code, kind) ((uint32_t)(code) | (uint32_t)(kind) << 21)

#endif
