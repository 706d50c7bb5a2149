/* suggest.c - see suggest.h */
#include "common/config/suggest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "common/mem.h"

#define WORD_MAX 64u

/* Half slips, so that guesses by rule can stand between one slip and the next. */
enum { SLIP = 2, SAME_STEM = 5, OTHER_NUMBER = 6, TOO_FAR = 1000 };

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* What it costs to take `b` for `a`. */
static unsigned
swap_cost(char a, char b)
{
	if (a == b)
		return 0;
	if (tolower((unsigned char)a) == tolower((unsigned char)b))
		return 1;
	return isdigit((unsigned char)a) && isdigit((unsigned char)b) ? 4 * SLIP : SLIP;
}

/* Edit distance with swapped neighbours (optimal string alignment), in half slips. */
static unsigned
distance(const char *a, size_t la, const char *b, size_t lb)
{
	unsigned row[3][WORD_MAX + 1];
	for (size_t j = 0; j <= lb; j++)
		row[0][j] = (unsigned)j * SLIP;
	for (size_t i = 1; i <= la; i++) {
		unsigned *now = row[i % 3], *before = row[(i - 1) % 3], *twice = row[(i + 1) % 3];
		now[0] = (unsigned)i * SLIP;
		for (size_t j = 1; j <= lb; j++) {
			unsigned d = least(before[j], now[j - 1]) + SLIP;
			d = least(d, before[j - 1] + swap_cost(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d = least(d, twice[j - 2] + SLIP);
			now[j] = d;
		}
	}
	return row[la % 3][lb];
}

/* Length of the word without the number at its end. */
static size_t
stem_len(const char *s, size_t len)
{
	while (len && isdigit((unsigned char)s[len - 1]))
		len--;
	return len;
}

/* The word is a stem with a number: others with this stem are guesses too. */
static unsigned
cost_by_stem(const char *word, size_t len, const char *candidate, size_t clen)
{
	size_t stem = stem_len(word, len);
	if (stem == len || stem < 3 || clen <= stem || strncmp(word, candidate, stem) != 0)
		return TOO_FAR;
	if (stem_len(candidate, clen) == stem)
		return OTHER_NUMBER;
	return isdigit((unsigned char)candidate[stem]) ? TOO_FAR : SAME_STEM;
}

void
bh_suggest_offer(struct bh_suggest *s, const char *candidate)
{
	size_t len = strlen(s->word), clen = strlen(candidate);
	if (!len || !clen || len > WORD_MAX || clen > WORD_MAX)
		return;
	unsigned cost = distance(s->word, len, candidate, clen);
	unsigned by_stem = cost ? cost_by_stem(s->word, len, candidate, clen) : TOO_FAR;
	/* One slip in three letters may be a slip; more is another word. */
	if (cost > SLIP * (1 + (unsigned)len / 4) || cost >= SLIP * (unsigned)len || by_stem == OTHER_NUMBER)
		cost = TOO_FAR;
	cost = least(cost, by_stem);
	if (cost == TOO_FAR)
		return;
	/* Of numbers the last: "vpot9" is more likely past the end than anywhere else. */
	if (!s->best || cost < s->cost || (cost == s->cost && cost == OTHER_NUMBER)) {
		s->best = candidate;
		s->cost = cost;
	}
}

const char *
bh_suggest_from(const char *word, const char *const *list, size_t n)
{
	struct bh_suggest s = {.word = word};
	for (size_t i = 0; i < n; i++)
		bh_suggest_offer(&s, list[i]);
	return s.best;
}
