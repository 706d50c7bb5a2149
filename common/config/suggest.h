/* suggest.h - did you mean: the word among those that exist that is nearest to the one that was written */
#pragma once

#include <stddef.h>

/*
 * The best so far. Start zeroed with `word` set (borrowed), offer every candidate, read `best` (borrowed from the candidates;
 * NULL = none is near enough to be worth a guess). Letters left out, added, changed or swapped count as slips. A number does
 * not slip: for "fader9" a desk with fader1 to fader8 and fader_main offers fader_main, and only without that fader8.
 */
struct bh_suggest {
	const char *word;
	const char *best;
	unsigned cost;
};

void bh_suggest_offer(struct bh_suggest *s, const char *candidate);

/* The same over a list of `n` words. */
const char *bh_suggest_from(const char *word, const char *const *list, size_t n);
