/*
 * lines.c - see lines.h
 *
 * The shortest way from one text to the other by Myers' greedy algorithm ("An O(ND) Difference Algorithm", 1986): for each number of
 * edits the furthest line that can be reached on each diagonal, and back along what was kept of that. What both texts begin and
 * end with is left out before.
 */
#include "supervisor/ctl/lines.h"

#include <stdlib.h>
#include <string.h>

#define AROUND 3

struct line {
	const char *text;
	size_t len;
};

struct text {
	struct line *line; /* owned */
	int lines;
};

/* One line of the way: ' ' in both, '-' in a alone, '+' in b alone. */
struct step {
	char how;
	int a, b; /* lines before it, in each */
};

struct way {
	struct step *step; /* owned */
	int steps;
};

static bool
split(struct text *t, const char *s)
{
	int n = 0;
	for (const char *p = s; *p; n++)
		p += strcspn(p, "\n"), p += *p == '\n';
	t->line = calloc((size_t)n + 1, sizeof(*t->line));
	if (!t->line)
		return false;
	for (t->lines = 0; *s; t->lines++) {
		size_t len = strcspn(s, "\n");
		t->line[t->lines] = (struct line){s, len};
		s += len + (s[len] == '\n');
	}
	return true;
}

static bool
same(const struct line *x, const struct line *y)
{
	return x->len == y->len && memcmp(x->text, y->text, x->len) == 0;
}

static void
add(struct way *w, char how, int a, int b)
{
	w->step[w->steps++] = (struct step){how, a, b};
}

/* The furthest point on each diagonal -d..d after d edits, for all d so far. */
struct reach {
	int *at[LINES_EDITS_MAX + 1]; /* owned; at[d][d + k] */
	int edits;
};

/* Where one more edit leads to on diagonal k, -1 = nowhere; `down`: by a line of b, else by one of a. */
static int
edit(const struct reach *r, int d, int k, bool *down)
{
	const int *before = r->at[d - 1];
	int over = k + 1 <= d - 1 ? before[d - 1 + k + 1] : -1, left = k - 1 >= -(d - 1) ? before[d - 1 + k - 1] : -1;
	left = left < 0 ? -1 : left + 1;
	*down = over >= left;
	return *down ? over : left;
}

/* False: no memory, or too many edits. */
static bool
search(struct reach *r, const struct line *a, int n, const struct line *b, int m)
{
	bool down;
	for (int d = 0; d <= LINES_EDITS_MAX; d++) {
		r->at[d] = malloc((size_t)(2 * d + 1) * sizeof(int));
		if (!r->at[d])
			return false;
		r->edits = d;
		for (int k = -d; k <= d; k += 2) {
			int x = d ? edit(r, d, k, &down) : 0;
			if (x > n || x - k > m || x - k < 0)
				x = -1;
			while (x >= 0 && x < n && x - k < m && same(&a[x], &b[x - k]))
				x++;
			r->at[d][d + k] = x;
			if (x == n && x - k == m)
				return true;
		}
	}
	return false;
}

/* From the end back to the beginning; the steps come out in the wrong order. */
static void
trace(const struct reach *r, struct way *w, int n, int m)
{
	int x = n, y = m;
	for (int d = r->edits; d > 0; d--) {
		bool down;
		int from = edit(r, d, x - y, &down);
		while (x > from)
			add(w, ' ', --x, --y);
		if (down)
			add(w, '+', x, --y);
		else
			add(w, '-', --x, y);
	}
	while (x > 0)
		add(w, ' ', --x, --y);
}

static void
replace_all(struct way *w, int n, int m)
{
	for (int y = m; y-- > 0;)
		add(w, '+', n, y);
	for (int x = n; x-- > 0;)
		add(w, '-', x, 0);
}

static bool
find_way(struct way *w, const struct text *a, const struct text *b)
{
	struct reach r = {.edits = 0};
	int head = 0, tail = 0;
	w->step = calloc((size_t)a->lines + (size_t)b->lines + 1, sizeof(*w->step));
	if (!w->step)
		return false;
	while (head < a->lines && head < b->lines && same(&a->line[head], &b->line[head]))
		head++;
	while (tail < a->lines - head && tail < b->lines - head && same(&a->line[a->lines - 1 - tail], &b->line[b->lines - 1 - tail]))
		tail++;
	int n = a->lines - head - tail, m = b->lines - head - tail;
	for (int i = 0; i < tail; i++)
		add(w, ' ', a->lines - 1 - i, b->lines - 1 - i);
	int from = w->steps;
	if (search(&r, a->line + head, n, b->line + head, m))
		trace(&r, w, n, m);
	else
		replace_all(w, n, m);
	for (int i = from; i < w->steps; i++) {
		w->step[i].a += head;
		w->step[i].b += head;
	}
	for (int i = head; i-- > 0;)
		add(w, ' ', i, i);
	for (int i = 0; i <= r.edits; i++)
		free(r.at[i]);
	for (int i = 0, k = w->steps - 1; i < k; i++, k--) {
		struct step t = w->step[i];
		w->step[i] = w->step[k];
		w->step[k] = t;
	}
	return true;
}

/* Steps first..last as one hunk. */
static void
put_hunk(FILE *out, const struct way *w, const struct text *a, const struct text *b, int first, int last)
{
	int na = 0, nb = 0;
	for (int i = first; i <= last; i++) {
		na += w->step[i].how != '+';
		nb += w->step[i].how != '-';
	}
	fprintf(out, "@@ -%d,%d +%d,%d @@\n", w->step[first].a + (na > 0), na, w->step[first].b + (nb > 0), nb);
	for (int i = first; i <= last; i++) {
		const struct step *s = &w->step[i];
		const struct line *l = s->how == '+' ? &b->line[s->b] : &a->line[s->a];
		fprintf(out, "%c%.*s\n", s->how, (int)l->len, l->text);
	}
}

bool
ctl_diff_lines(FILE *out, const char *a, const char *b, const char *name_a, const char *name_b)
{
	struct text ta = {0}, tb = {0};
	struct way w = {0};
	bool any = false;
	if (split(&ta, a) && split(&tb, b) && find_way(&w, &ta, &tb)) {
		for (int i = 0; i < w.steps;) {
			if (w.step[i].how == ' ') {
				i++;
				continue;
			}
			int first = i > AROUND ? i - AROUND : 0, last = i;
			/* Differences that are near each other are one hunk. */
			for (int k = i; k < w.steps && k <= last + 2 * AROUND + 1; k++)
				if (w.step[k].how != ' ')
					last = k;
			i = last + 1;
			last = last + AROUND < w.steps ? last + AROUND : w.steps - 1;
			if (!any)
				fprintf(out, "--- %s\n+++ %s\n", name_a, name_b);
			any = true;
			put_hunk(out, &w, &ta, &tb, first, last);
		}
	}
	free(ta.line);
	free(tb.line);
	free(w.step);
	return any;
}
